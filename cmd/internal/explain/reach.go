package explain

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/frame"
)

// ReachOptions say what Reach asks besides what the lab itself shows.
type ReachOptions struct {
	Outside netip.Addr // an address outside that hosts try to ping; invalid: none
	// Partial: questions for which ctx leaves no time are not predicted, which is no error: a packet is to settle them.
	Partial bool
}

// maxQuestions bounds what Reach does: each cell costs a fork of the lab.
const maxQuestions = 5000

// Reach asks every question that the lab suggests: every host pings every other, the gateway and the outside, and tries
// every port on which somebody listens and every port that is published; somebody outside tries those too. It ends early
// with ctx, whose error it then returns.
func (l *Lab) Reach(ctx context.Context, o ReachOptions) (*api.Matrix, error) {
	m := &api.Matrix{From: l.hostNames(), To: l.columns(o)}
	if l.uplink() != nil {
		m.From = append(m.From, api.Outsider)
	}
	if n := len(m.From) * len(m.To); n > maxQuestions {
		return nil, words.Errorf("%d hosts and %d things to reach are %d questions; at most %d are asked at once", len(m.From),
			len(m.To), n, maxQuestions)
	}
	ring := newTrial(l, target{}).ring
	for _, from := range m.From {
		row := []api.Cell{}
		for _, to := range m.To {
			q := api.Question{From: from, To: to.To, Protocol: to.Protocol, Port: to.Port}
			if err := ctx.Err(); err != nil && o.Partial {
				row = append(row, l.unpredicted(q))
				continue
			} else if err != nil {
				return nil, words.Errorf("%d questions take too long: %w", len(m.From)*len(m.To), err)
			}
			c, err := l.cell(&trial{lab: *l, ring: ring}, q)
			if err != nil {
				return nil, err
			}
			row = append(row, c)
		}
		m.Cells = append(m.Cells, row)
	}
	return m, nil
}

// unpredicted is a question that there is no time for.
func (l *Lab) unpredicted(q api.Question) api.Cell {
	if _, c := l.askable(q); c != nil {
		return *c
	}
	return api.Cell{Verdict: api.NotKnown, Unknown: l.in("there was no time to predict it")}
}

// askable finds out what is asked, or what stands in the cell where it cannot be.
func (l *Lab) askable(q api.Question) (*target, *api.Cell) {
	if q.From == q.To {
		return nil, &api.Cell{Self: true}
	}
	found, err := l.check(q)
	switch {
	case err == nil:
		return found, nil
	case errors.Is(err, errOutside):
		return nil, &api.Cell{Self: true}
	case q.From == api.Outsider:
		return nil, &api.Cell{Verdict: api.No, Reason: api.NotRouted, Where: api.Outsider, Way: api.There, Sentence: words.Text(l.in, err)}
	}
	return nil, &api.Cell{Verdict: api.No, Reason: api.NoAddress, Where: q.To, Way: api.There, Sentence: words.Text(l.in, err)}
}

// cell asks one question.
func (l *Lab) cell(t *trial, q api.Question) (api.Cell, error) {
	found, c := l.askable(q)
	if c != nil {
		return *c, nil
	}
	t.target = *found
	f, err := t.run()
	if err != nil {
		return api.Cell{}, err
	}
	a := f.answer()
	c = &api.Cell{Verdict: a.Verdict, Works: a.Works, Unknown: a.Unknown}
	if s := a.Stop; s != nil {
		c.Reason, c.Where, c.Way, c.Sentence = s.Reason, s.Where, s.Way, s.Sentence
	}
	return *c, nil
}

// columns are the things that can be reached.
func (l *Lab) columns(o ReachOptions) (all []api.Column) {
	for _, h := range l.Hosts {
		all = append(all, api.Column{To: h.Name, Protocol: "icmp"})
	}
	if len(l.Gateway.Interfaces()) > 0 {
		all = append(all, api.Column{To: "gateway", Protocol: "icmp"})
	}
	if o.Outside.IsValid() && l.uplink() != nil {
		all = append(all, api.Column{To: o.Outside.String(), Protocol: "icmp"})
	}
	for _, h := range l.Hosts {
		for _, port := range h.TCP {
			all = append(all, api.Column{To: h.Name, Protocol: "tcp", Port: port})
		}
		for _, port := range h.UDP {
			all = append(all, api.Column{To: h.Name, Protocol: "udp", Port: port})
		}
		for _, s := range h.Bound {
			if s.Addr.IsLoopback() || s.Peer.IsValid() {
				continue // nobody else reaches it
			}
			c := api.Column{To: h.Name, Protocol: map[uint8]string{frame.ProtoTCP: "tcp", frame.ProtoUDP: "udp"}[s.Proto], Port: s.Port}
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return append(all, l.published()...)
}

// dnat finds what a DNAT rule is about.
var dnat = regexp.MustCompile(` -p (tcp|udp) .*--dport (\d+) .*-j DNAT `)

// published finds the published ports where they are written: in the rules that lead them inside.
func (l *Lab) published() (all []api.Column) {
	up := l.uplink()
	if up == nil {
		return nil
	}
	listing, err := l.Gateway.Rules().Exec([]string{"-t", "nat", "-S"})
	if err != nil {
		return nil
	}
	for line := range strings.Lines(listing) {
		found := dnat.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		port, err := strconv.ParseUint(found[2], 10, 16)
		c := api.Column{To: up.Addr().Addr().String(), Protocol: found[1], Port: uint16(port)}
		if err == nil && port > 0 && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}
