package simhost

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"uswitch/sim"
)

// headStart is how long curl waits for the family that it prefers before it tries the other one as well (RFC 8305;
// --happy-eyeballs-timeout-ms).
const headStart = 200 * time.Millisecond

// race connects to the first of some addresses that takes the connection. Each family is tried in its order; the second one begins a
// little later, or when the first has failed.
func (c *call) race(ctx context.Context, all []netip.Addr, port uint16, within float64) (won *sim.Conn, err error) {
	outer := ctx
	ctx, lost := context.WithCancelCause(ctx)
	running := 0
	run := func(some []netip.Addr) {
		running++
		c.Loop().Go(func() {
			defer func() { running-- }()
			for _, a := range some {
				conn, failed := c.connect(ctx, netip.AddrPortFrom(a, port), within)
				switch {
				case won != nil && conn != nil:
					conn.Close()
				case failed == nil:
					won = conn
					won.EndWith(outer)
				case won == nil:
					err = failed
				}
				if won != nil {
					return
				}
			}
		})
	}
	first, second := slices.Clone(all[:1]), []netip.Addr(nil)
	for _, a := range all[1:] {
		if a.Is4() == all[0].Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	passed := false
	timer := c.Loop().After(headStart, func() { passed = true })
	defer timer.Stop()
	run(first)
	over := func() bool { return won != nil || running == 0 }
	ended := c.Loop().WaitOr(outer, func() bool { return over() || passed && len(second) > 0 })
	if ended == nil && won == nil && len(second) > 0 {
		run(second)
		ended = c.Loop().WaitOr(outer, over)
	}
	lost(errors.New("the other family was quicker"))
	switch {
	case won != nil:
		return won, nil
	case ended != nil:
		return nil, ended
	}
	return nil, err
}
