package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
	vswitch "uswitch/switch"
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
			w.change(func(now *snapshot) { now.published = replaced(now.published, open, &wanted) })
		}
	}
	return errors.Join(failed...)
}

// closePorts is the ports of hosts that stay, which the plan does not have any more or whose interface goes. One that was opened by
// hand stays open as long as its interface does.
func (c *applyPlan) closePorts() {
	for _, p := range c.Published() {
		if !c.stays(p.Host) {
			continue
		}
		before, now := c.old.Host(p.Host), c.now.Host(p.Host)
		dropped := slices.Contains(before.Ports, p.Wanted) && !slices.Contains(now.Ports, p.Wanted)
		if !dropped && !c.nics[place{p.Host, p.Network}] {
			continue
		}
		c.add(move{line: "- published " + p.String(),
			do:   func(context.Context) error { return c.unpublish(p) },
			undo: func() error { return c.publishAgain([]*Published{p}) }})
	}
}

// openPorts is the ports of hosts that stay, as far as they are not open.
func (c *applyPlan) openPorts() {
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
func (c *applyPlan) isOpen(host string, wanted plan.Publish) bool {
	return slices.ContainsFunc(c.publishedOf(host), func(p *Published) bool {
		return p.Wanted == wanted && !c.nics[place{host, p.Network}]
	})
}

func (c *applyPlan) portOpens(h *plan.Host, p plan.Publish) move {
	var open *Published
	line := (&Published{Publish: p, Host: h.Name, Outside: p.HostIP}).String()
	return move{line: "+ published " + line,
		do: func(context.Context) (err error) {
			open, err = c.publish(c.Host(h.Name), p)
			return err
		},
		undo: func() error { return c.unpublish(open) }}
}

// portFlags is the settings of ports and networks that stay.
func (c *applyPlan) portFlags() {
	for i := range c.now.Networks {
		n := &c.now.Networks[i]
		if goes, was := c.networks[n.Name]; goes || !was {
			continue
		}
		if changed := fieldsThatDiffer(*networkOf(c.old, n.Name), *n, "port"); len(changed) > 0 {
			c.add(c.networkChanges(n, strings.Join(changed, " ")))
		}
	}
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			continue
		}
		for j := range h.Interfaces {
			now := &h.Interfaces[j]
			if goes, was := c.nics[place{h.Name, now.Network}]; goes || !was {
				continue
			}
			before := nicOf(c.old.Host(h.Name), now.Network)
			if changed := fieldsThatDiffer(before.Port, now.Port); len(changed) > 0 {
				c.add(c.portChanges(h.Name, before, now, strings.Join(changed, " ")))
			}
		}
	}
}

// portChanges turns those port flags of a port that the plan turns; what was turned by hand stays, as far as it is another flag.
func (c *applyPlan) portChanges(host string, before, now *plan.Interface, changed string) move {
	var was vswitch.PortFlags
	return move{line: fmt.Sprintf("~ port %s %s %s", host, now.Network, changed),
		do: func(context.Context) error {
			port := c.Host(host).nic(now.Network).Port
			was = port.Flags()
			c.Network(now.Network).Switch.SetFlags(port, merged(was, PortFlags(before), PortFlags(now)))
			return nil
		},
		undo: func() error {
			c.Network(now.Network).Switch.SetFlags(c.Host(host).nic(now.Network).Port, was)
			return nil
		}}
}

// merged returns port flags as they are, but for those that differ between two plans.
func merged(as, before, now vswitch.PortFlags) vswitch.PortFlags {
	for _, flag := range []struct {
		to            *bool
		before, after bool
	}{
		{&as.Learning, before.Learning, now.Learning},
		{&as.Flood, before.Flood, now.Flood},
		{&as.MulticastFlood, before.MulticastFlood, now.MulticastFlood},
		{&as.BroadcastFlood, before.BroadcastFlood, now.BroadcastFlood},
		{&as.Isolated, before.Isolated, now.Isolated},
		{&as.RAGuard, before.RAGuard, now.RAGuard},
		{&as.NDGuard, before.NDGuard, now.NDGuard},
		{&as.DHCPGuard, before.DHCPGuard, now.DHCPGuard},
	} {
		if flag.before != flag.after {
			*flag.to = flag.after
		}
	}
	if before.StormLimit != now.StormLimit {
		as.StormLimit = now.StormLimit
	}
	return as
}

// networkChanges is what can change about a network while it is there.
func (c *applyPlan) networkChanges(now *plan.Network, changed string) move {
	before := networkOf(c.old, now.Name)
	return move{line: fmt.Sprintf("~ network %s %s", now.Name, changed),
		do:   func(context.Context) error { return c.become(before, now) },
		undo: func() error { return c.become(now, before) }}
}

// become makes of a network what a plan says, where that differs from what it was.
func (w *World) become(before, now *plan.Network) error {
	n := w.Network(now.Name)
	fdb := n.Switch.FDB()
	if before.AgeingTime != now.AgeingTime {
		fdb.SetAgeing(Ageing(now.AgeingTime))
	}
	if before.FDBMaxLearned != now.FDBMaxLearned {
		fdb.SetMaxLearned(cmp.Or(now.FDBMaxLearned, w.memory.Learned, vswitch.DefaultMaxLearned))
	}
	if before.GroupFwdMask != now.GroupFwdMask {
		_ = n.Switch.SetGroupForward(uint16(now.GroupFwdMask)) // package plan has checked it
	}
	if n.Tunnel != nil && !reflect.DeepEqual(before.Tunnel, now.Tunnel) {
		if err := n.Tunnel.become(now.Tunnel); err != nil {
			return err
		}
	}
	for _, e := range before.FDB {
		if !slices.Contains(now.FDB, e) {
			fdb.Remove(e.MAC)
		}
	}
	var err error
	if before.Internal != now.Internal || before.Masquerade != now.Masquerade || before.ICC != now.ICC {
		err = w.reopenNetwork(n, now)
	} else {
		w.planNetwork(n, now)
	}
	return errors.Join(err, enterStations(w.Network(now.Name), ""))
}

// planNetwork gives a network another plan.
func (w *World) planNetwork(n *Network, labPlan *plan.Network) {
	after := *n
	after.Plan = labPlan
	w.change(func(p *snapshot) { p.networks = replaced(p.networks, n, &after) })
}

// reopenNetwork gives a network another plan, and with it the rules of the network, of the addresses on it and of the ports
// that lead there.
func (w *World) reopenNetwork(n *Network, labPlan *plan.Network) error {
	var ports []*Published
	for _, p := range w.Published() {
		if p.Network == labPlan.Name {
			w.closeRules(p)
			ports = append(ports, p)
		}
	}
	w.closeNetwork(n)
	w.planNetwork(n, labPlan)
	w.setFilter(w.Network(labPlan.Name))
	failed := []error{w.openNetwork(w.Network(labPlan.Name))}
	for _, h := range w.Hosts() {
		if nic := h.nic(labPlan.Name); nic != nil && w.dockers() {
			failed = append(failed, w.openEndpoint(nic))
		}
	}
	for _, p := range ports {
		after := *p
		after.docker = w.dockerPort(&after)
		w.change(func(now *snapshot) { now.published = replaced(now.published, p, &after) })
		failed = append(failed, w.openRules(&after))
	}
	return errors.Join(failed...)
}
