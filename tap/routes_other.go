//go:build !linux

package tap

import (
	"errors"
	"net/netip"
)

// Routes is Linux's.
type Routes struct{}

// OpenRoutes returns an error: only Linux is asked about its routes.
func OpenRoutes() (*Routes, error) { return nil, errors.New("tap: needs Linux") }

// Close does nothing.
func (*Routes) Close() error { return nil }

// Owns returns an error.
func (*Routes) Owns(netip.Addr) (bool, error) { return false, errors.New("tap: needs Linux") }
