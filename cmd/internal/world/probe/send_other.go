//go:build !linux

package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"uswitch/sim"
	"uswitch/tap"
)

// Send returns an error: there are no namespaces here.
func Send(context.Context, tap.Namespace, sim.Question, uint16, time.Duration) (netip.AddrPort, error) {
	return netip.AddrPort{}, fmt.Errorf("%w: %w", ErrNotSent, errors.ErrUnsupported)
}

// Neighbors is a namespace's neighbour table.
type Neighbors struct{}

// OpenNeighbors returns an error: there are no namespaces here.
func OpenNeighbors(tap.Namespace) (Neighbors, error) { return Neighbors{}, errors.ErrUnsupported }

// Close does nothing.
func (Neighbors) Close() {}

// Forget does nothing.
func (Neighbors) Forget(netip.Addr) {}

// Overflows returns 0.
func Overflows() uint64 { return 0 }
