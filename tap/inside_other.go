//go:build !linux

package tap

import "errors"

// router asks nobody: there are no namespaces here.
type router struct{}

func (router) route(Flow, *Inside) (Decision, error) { return Decision{}, errors.ErrUnsupported }
func (router) close()                                {}

// Look returns an error: there are no namespaces here.
func Look(Namespace) (*Inside, error) { return nil, errors.ErrUnsupported }

// LookHere returns an error, as Look does.
func LookHere() (*Inside, error) { return nil, errors.ErrUnsupported }
