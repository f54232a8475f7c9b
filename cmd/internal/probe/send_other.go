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
