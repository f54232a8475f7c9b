//go:build !unix

package ping

import (
	"context"
	"errors"
	"net/netip"
)

// OpenHere returns an error: only Unix has sockets for ICMP that a program may use.
func OpenHere(context.Context, netip.Addr, int) (Socket, error) { return nil, errors.New("needs Unix") }
