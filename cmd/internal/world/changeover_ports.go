package world

import (
	"context"
	"errors"
	"slices"

	"uswitch/cmd/internal/plan"
)

// publishedOf lists the open ports of a host.
func (w *World) publishedOf(host string) (all []*Published) {
	for _, p := range w.Published() {
		if p.Host == host {
			all = append(all, p)
		}
	}
	return all
}

// publishAgain opens ports that were open before, on the very numbers that they had.
func (w *World) publishAgain(ports []*Published) error {
	var failed []error
	for _, p := range ports {
		open, err := w.publish(w.Host(p.Host), p.Publish)
		failed = append(failed, err)
		if err == nil {
			wanted := *open
			wanted.Wanted = p.Wanted
			w.change(func(now *picture) { now.published = replaced(now.published, open, &wanted) })
		}
	}
	return errors.Join(failed...)
}

// closePorts is the ports of hosts that stay, which the plan does not have any more or whose card goes. One that was opened by
// hand stays open as long as its card does.
func (c *changeover) closePorts() {
	for _, p := range c.Published() {
		if !c.stays(p.Host) {
			continue
		}
		before, now := c.old.Host(p.Host), c.now.Host(p.Host)
		dropped := slices.Contains(before.Ports, p.Wanted) && !slices.Contains(now.Ports, p.Wanted)
		if !dropped && !c.cards[place{p.Host, p.Network}] {
			continue
		}
		c.add(move{line: "- published " + p.String(),
			do:   func(context.Context) error { return c.unpublish(p) },
			undo: func() error { return c.publishAgain([]*Published{p}) }})
	}
}

// openPorts is the ports of hosts that stay, as far as they are not open.
func (c *changeover) openPorts() {
	if c.way == nil {
		return
	}
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			continue
		}
		for _, p := range h.Ports {
			if !c.isOpen(h.Name, p) {
				c.add(c.portOpens(h, p))
			}
		}
	}
}

// isOpen reports whether a port that a plan asks for is open, and will not have been closed on the way.
func (c *changeover) isOpen(host string, wanted plan.Publish) bool {
	return slices.ContainsFunc(c.publishedOf(host), func(p *Published) bool {
		return p.Wanted == wanted && !c.cards[place{host, p.Network}]
	})
}

func (c *changeover) portOpens(h *plan.Host, p plan.Publish) move {
	var open *Published
	line := (&Published{Publish: p, Host: h.Name, Outside: p.HostIP}).String()
	return move{line: "+ published " + line,
		do: func(context.Context) (err error) {
			open, err = c.publish(c.Host(h.Name), p)
			return err
		},
		undo: func() error { return c.unpublish(open) }}
}
