package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
	"uswitch/tap"
)

// apply plan is the way from a lab as it is to a plan, in moves that are made one after the other:
//
//	commands and hosts, interfaces and networks that go               make room
//	networks, hosts and interfaces that come                          take it
//	default routes, port flags, gateway, rules, ports that open  what needs all of them
//	commands that end, the plan itself, commands that start
//
// What has only changed a little stays where it is; what cannot change in place goes and comes again.
type applyPlan struct {
	*World
	old, now *plan.Plan // now with what was added by hand
	filed    *plan.Plan // now without it
	moves    []move

	out func(host string, nic *NIC) bool // of interfaces whose cable is out, those that are to be plugged in again

	networks map[string]bool // that go, and come again if now has them
	hosts    map[string]bool // likewise
	nics     map[place]bool  // likewise, of hosts that stay
}

// place is where an interface is.
type place struct{ host, network string }

// move is one step of a apply plan, and how to go back.
type move struct {
	name string // what it does, for an error
	line string // for the person; empty: it is a part of another one
	do   func(context.Context) error
	undo func() error
	anew string // what is not as before when this has been done and undone
}

func (c *applyPlan) add(m move) {
	m.name = cmp.Or(m.name, m.line)
	c.moves = append(c.moves, m)
}

// check finds what would fail on the way, before anything is touched: rules that cannot be read, namespaces that are not
// there, programs that cannot be started.
func (c *applyPlan) check() error {
	if c.rulesChange() {
		if _, err := tablesOf(c.now); err != nil {
			return err
		}
	}
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		before := c.old.Host(h.Name)
		if h.Netns != "" && (before == nil || before.Netns != h.Netns) {
			if _, err := c.host.Adopt(h.Netns); err != nil {
				return fmt.Errorf("%s: services.%s.x-uswitch.netns: %w", c.now.Source, h.Name, err)
			}
		}
		if len(h.Command) > 0 && !c.Simulated() && (before == nil || commandChanges(before, h)) {
			cmd := c.Command(&Host{Plan: h}, h.Command)
			cmd.Dir = h.WorkingDir
			if _, _, err := RightsOf(h.Rights); err != nil {
				return fmt.Errorf("host %s: %w", h.Name, err)
			}
			if err := tap.Startable(cmd); err != nil {
				return fmt.Errorf("host %s: %w", h.Name, err)
			}
		}
	}
	return nil
}

// plot finds the moves.
func (c *applyPlan) build() {
	c.compare()
	c.closePorts()
	c.endCommands("commands of hosts that go end", func(h *plan.Host) bool { return c.hosts[h.Name] })
	c.takeAway()
	c.bring()
	c.routes()
	c.sysctls()
	c.portFlags()
	c.gatewayAndRules()
	c.openPorts()
	c.endCommands("commands that change end", func(h *plan.Host) bool { return c.stays(h.Name) && commandChanges(h, c.now.Host(h.Name)) })
	c.commit()
	c.startCommands()
}

// compare finds what cannot change in place.
func (c *applyPlan) compare() {
	c.networks, c.hosts, c.nics = map[string]bool{}, map[string]bool{}, map[place]bool{}
	for i := range c.old.Networks {
		n := &c.old.Networks[i]
		now := networkOf(c.now, n.Name)
		c.networks[n.Name] = now == nil || n.Subnet != now.Subnet || n.Gateway != now.Gateway || n.GatewayMAC != now.GatewayMAC || n.NoAddress != now.NoAddress || n.MTU != now.MTU || !n.Tunnel.SameEnd(now.Tunnel) ||
			n.GatewayMode != now.GatewayMode // which decides about listeners as well
	}
	for i := range c.old.Hosts {
		h := &c.old.Hosts[i]
		now := c.now.Host(h.Name)
		c.hosts[h.Name] = now == nil || h.Netns != now.Netns || h.Mode != now.Mode || h.Shares != now.Shares ||
			h.Mode == plan.ModeShared && c.hosts[h.Shares] // which stands before it
		if c.hosts[h.Name] {
			continue
		}
		for _, nic := range h.Interfaces {
			after := nicOf(now, nic.Network)
			c.nics[place{h.Name, nic.Network}] = after == nil || c.networks[nic.Network] || after.Name != nic.Name ||
				after.Address != nic.Address || after.MAC != nic.MAC || after.MTU != nic.MTU || c.isOut(h.Name, nic.Network)
		}
	}
}

// isOut reports whether an interface is to be plugged in again.
func (c *applyPlan) isOut(host, network string) bool {
	nic := c.Host(host).nic(network)
	if nic == nil {
		return false
	}
	_, out := nic.Unplugged()
	return out && c.out(host, nic)
}

// stays reports whether a host is there before and after.
func (c *applyPlan) stays(host string) bool {
	goes, was := c.hosts[host]
	return was && !goes
}

// nicOf returns the plan of a host's interface on a network, or nil.
func nicOf(h *plan.Host, network string) *plan.Interface {
	for i := range h.Interfaces {
		if h.Interfaces[i].Network == network {
			return &h.Interfaces[i]
		}
	}
	return nil
}

// rulesChange reports whether the file has other rules than before. As long as it does not, what people have changed by
// hand is theirs.
func (c *applyPlan) rulesChange() bool {
	return c.old.DockerRules != c.now.DockerRules || !reflect.DeepEqual(c.old.Rules, c.now.Rules)
}

// gatewayAndRules is ip_forward, and the rules as a whole if the file has others.
func (c *applyPlan) gatewayAndRules() {
	if c.old.IPForward != c.now.IPForward {
		before := c.gateway.Forwarding()
		c.add(move{line: fmt.Sprintf("~ gateway ip_forward=%d", map[bool]int{true: 1}[c.now.IPForward]),
			do: func(context.Context) error {
				c.gateway.SetForwarding(c.now.IPForward)
				c.gateway.SetForwarding6(c.now.IPForward)
				return nil
			},
			undo: func() error {
				c.gateway.SetForwarding(before)
				c.gateway.SetForwarding6(before)
				return nil
			}})
	}
	if !c.rulesChange() {
		return
	}
	var text [len(families)]string
	var docker [len(families)]*firewall.Firewall
	var before *plan.Plan
	c.add(move{line: "~ rules",
		do: func(context.Context) error {
			for i, family := range families {
				text[i] = c.tables(family).Snapshot().Save(rule.SaveOptions{Counters: true})
			}
			docker, before = c.docker, c.Plan()
			return c.newRules(c.now)
		},
		undo: func() error {
			c.docker = docker
			c.change(func(p *snapshot) { p.plan.Rules, p.plan.DockerRules = before.Rules, before.DockerRules })
			var failed []error
			for i, family := range families {
				failed = append(failed, c.tables(family).Restore(strings.NewReader(text[i]), rule.RestoreOptions{Counters: true}))
			}
			return errors.Join(failed...)
		}})
}

// newRules replaces all rules by those with which the lab, as it is now, would begin if it had the rules of a plan.
func (w *World) newRules(from *plan.Plan) error {
	labPlan := *w.Plan()
	labPlan.Rules, labPlan.DockerRules = from.Rules, from.DockerRules
	begin, err := tablesOf(&labPlan)
	if err != nil {
		return err
	}
	for i, family := range families {
		if err := w.tables(family).Restore(strings.NewReader(begin.tables[i].Snapshot().Save(rule.SaveOptions{})), rule.RestoreOptions{}); err != nil {
			return err
		}
	}
	w.docker = begin.docker
	w.change(func(p *snapshot) { p.plan.Rules, p.plan.DockerRules = from.Rules, from.DockerRules })
	var failed []error
	for _, p := range w.Published() {
		failed = append(failed, w.openRules(p))
	}
	return errors.Join(failed...)
}

// sysctls is settings of hosts' networks that the file has and had not, or with another value. One that is in the file no more
// stays as it is, which is told.
func (c *applyPlan) sysctls() {
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) || c.Simulated() {
			continue
		}
		set, before := map[string]string{}, map[string]string{}
		for name, value := range h.Sysctls {
			if old, had := c.old.Host(h.Name).Sysctls[name]; !had || old != value {
				set[name] = value
				if had {
					before[name] = old
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.old.Host(h.Name).Sysctls)) {
			if _, still := h.Sysctls[name]; !still {
				c.add(move{line: fmt.Sprintf("~ %s sysctls: %s stays as it is", h.Name, name),
					do: func(context.Context) error { return nil }, undo: func() error { return nil }})
			}
		}
		if len(set) == 0 {
			continue
		}
		namespace := c.Host(h.Name).Namespace
		c.add(move{line: fmt.Sprintf("~ %s sysctls", h.Name),
			do:   func(context.Context) error { return tap.Set(namespace, set) },
			undo: func() error { return tap.Set(namespace, before) }})
	}
}

// routes is default routes of hosts that stay.
func (c *applyPlan) routes() {
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			continue
		}
		old := c.old.Host(h.Name)
		lost := slices.ContainsFunc(old.Interfaces, func(i plan.Interface) bool {
			return i.Name == old.GatewayDev && c.nics[place{h.Name, i.Network}]
		})
		if !lost && old.Gateway == h.Gateway && old.GatewayDev == h.GatewayDev {
			continue
		}
		line := fmt.Sprintf("~ %s default route via %v dev %s", h.Name, h.Gateway, h.GatewayDev)
		if !h.Gateway.IsValid() {
			line = fmt.Sprintf("~ %s no default route", h.Name)
		}
		var before *plan.Host
		c.add(move{line: line,
			do: func(context.Context) error {
				before = c.Host(h.Name).Plan
				_, err := c.setRoute(c.Host(h.Name), h.Gateway, h.GatewayDev)
				return err
			},
			undo: func() error {
				_, err := c.setRoute(c.Host(h.Name), before.Gateway, before.GatewayDev)
				return err
			}})
	}
}
