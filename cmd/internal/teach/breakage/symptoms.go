package breakage

import (
	"context"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/control/api"
	compose "uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/teach/check"
)

// elsewhere is an address outside that hosts try to reach.
var elsewhere = netip.AddrFrom4([4]byte{8, 8, 8, 8})

// symptoms returns what is answered in a lab now, and what is not, as checks that all hold. What must not be answered is
// among them, so that nobody mends a lab by opening everything.
func symptoms(ctx context.Context, c *api.Client, s check.Subject, l *lab) ([]compose.Check, error) {
	var m api.Matrix
	if err := c.Get(ctx, "/v1/reach", api.ReachQuery{Outside: elsewhere}.Query(), &m); err != nil {
		return nil, err
	}
	var all []compose.Check
	add := func(a compose.AskCheck) {
		one := compose.Check{Name: fmt.Sprintf("c%d", len(all)+1), Ask: &a}
		if check.One(ctx, s, &one).State == check.Holds {
			all = append(all, one)
		}
	}
	for row, from := range m.From {
		for column, to := range m.To {
			cell := m.Cells[row][column]
			if !cell.Self && (cell.Works || from != api.Outsider) {
				add(compose.AskCheck{From: from, To: to.To, Protocol: to.Protocol, Port: to.Port, Not: !cell.Works})
			}
		}
	}
	// A small ping passes where a large one does not.
	for _, h := range l.hosts {
		for _, peer := range append([]string{"gateway"}, names(l.peers(h, h.Interfaces[0]))...) {
			add(compose.AskCheck{From: h.Name, To: peer, Protocol: "icmp", Size: h.Interfaces[0].MTU - 28, DF: true})
		}
	}
	return all, nil
}

func names(hosts []api.Host) (all []string) {
	for _, h := range hosts {
		all = append(all, h.Name)
	}
	return all
}
