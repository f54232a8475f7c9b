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

// Set returns an error, as Look does.
func Set(Namespace, map[string]string) error { return errors.ErrUnsupported }

// LookHere returns an error, as Look does.
func LookHere() (*Inside, error) { return nil, errors.ErrUnsupported }

// Routes is Linux's.
type Routes struct{}

// OpenRoutes returns an error: only Linux is asked about its routes.
func OpenRoutes() (*Routes, error) { return nil, errors.New("tap: needs Linux") }

// Close does nothing.
func (*Routes) Close() error { return nil }

// Owns returns an error.
func (*Routes) Owns(netip.Addr) (bool, error) { return false, errors.New("tap: needs Linux") }
