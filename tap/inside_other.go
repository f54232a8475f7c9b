//go:build !linux

package tap

import (
	"errors"
	"net/netip"
)

// router asks nobody: there are no namespaces here.
type router struct{}

func (router) route(Flow, *Inside) (Decision, error) { return Decision{}, errors.ErrUnsupported }
func (router) close()                                {}

// Matching finds nothing: nobody has decided.
func (in *Inside) Matching(Decision, netip.Addr) (netip.Prefix, string) { return netip.Prefix{}, "" }

// Several reports false: nobody has decided.
func (in *Inside) Several(Decision, netip.Addr) bool { return false }

// Look returns an error: there are no namespaces here.
func Look(Namespace) (*Inside, error) { return nil, errors.ErrUnsupported }

// LookHere returns an error, as Look does.
func LookHere() (*Inside, error) { return nil, errors.ErrUnsupported }
