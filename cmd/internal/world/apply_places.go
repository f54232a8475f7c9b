package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"

	"uswitch/cmd/internal/plan"
)

// takeAway is hosts, interfaces and networks that go, in reverse.
func (c *applyPlan) takeAway() {
	for i := range slices.Backward(c.old.Hosts) {
		if h := &c.old.Hosts[i]; c.hosts[h.Name] {
			c.add(c.hostGoes(h))
		}
	}
	for i := range c.old.Hosts {
		h := &c.old.Hosts[i]
		for j := range slices.Backward(h.Interfaces) {
			if nic := &h.Interfaces[j]; c.nics[place{h.Name, nic.Network}] {
				c.add(c.nicGoes(h.Name, nic))
			}
		}
	}
	for i := range slices.Backward(c.old.Networks) {
		n := &c.old.Networks[i]
		if c.networks[n.Name] {
			c.add(move{line: fmt.Sprintf("- network %s %v", n.Name, n.Subnet),
				do:   func(context.Context) error { return c.removeNetwork(c.Network(n.Name)) },
				undo: func() error { return c.addNetwork(n) }})
		}
	}
}

// bring is networks, hosts and interfaces that come.
func (c *applyPlan) bring() {
	for i := range c.now.Networks {
		n := &c.now.Networks[i]
		if goes, was := c.networks[n.Name]; goes || !was {
			c.add(move{line: fmt.Sprintf("+ network %s %v", n.Name, n.Subnet),
				do:   func(context.Context) error { return c.addNetwork(n) },
				undo: func() error { return c.removeNetwork(c.Network(n.Name)) }})
		}
	}
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			c.add(move{line: "+ " + hostLine(h),
				do:   func(ctx context.Context) error { return c.addHost(ctx, h) },
				undo: func() error { return c.removeHost(c.Host(h.Name)) }})
			continue
		}
		for j := range h.Interfaces {
			nic := &h.Interfaces[j]
			if goes, was := c.nics[place{h.Name, nic.Network}]; goes || !was {
				c.add(c.nicComes(h.Name, nic))
			}
		}
	}
}

// hostLine says of a host what it is called and where it is reached.
func hostLine(h *plan.Host) string {
	line := "host " + h.Name
	for _, i := range h.Interfaces {
		line += " " + i.Address.Addr().String()
	}
	return line
}

func (c *applyPlan) hostGoes(h *plan.Host) move {
	var published []*Published
	return move{line: "- " + hostLine(h), anew: h.Name,
		do: func(context.Context) error {
			published = c.publishedOf(h.Name)
			return c.removeHost(c.Host(h.Name))
		},
		undo: func() error {
			bare := *h
			bare.Ports = nil
			err := c.addHost(context.Background(), &bare)
			if err != nil {
				return err
			}
			c.replan(h)
			return c.publishAgain(published)
		}}
}

func (c *applyPlan) nicGoes(host string, nic *plan.Interface) move {
	var gateway netip.Addr
	var dev string
	return move{line: "- interface " + nicLine(host, nic),
		do: func(context.Context) error {
			h := c.Host(host)
			gateway, dev = h.Plan.Gateway, h.Plan.GatewayDev
			_, err := c.unplug(h, h.nic(nic.Network))
			return err
		},
		undo: func() error {
			h, err := c.plug(c.Host(host), nic)
			if err == nil && dev == nic.Name {
				_, err = c.setRoute(h, gateway, dev)
			}
			return err
		}}
}

func (c *applyPlan) nicComes(host string, nic *plan.Interface) move {
	return move{line: "+ interface " + nicLine(host, nic),
		do: func(context.Context) error {
			_, err := c.plug(c.Host(host), nic)
			return err
		},
		undo: func() error {
			_, err := c.unplug(c.Host(host), c.Host(host).nic(nic.Network))
			return err
		}}
}

func nicLine(host string, nic *plan.Interface) string {
	return fmt.Sprintf("%s %s %s %v %v", host, nic.Name, nic.Network, nic.Address.Addr(), nic.MAC)
}

// commandChanges reports whether a host has to run another command, or the same one anew.
func commandChanges(before, now *plan.Host) bool {
	return !slices.Equal(before.Command, now.Command) || len(now.Command) > 0 && (!slices.Equal(before.Environment, now.Environment) ||
		before.WorkingDir != now.WorkingDir || before.Hostname != now.Hostname || !reflect.DeepEqual(before.Rights, now.Rights))
}

// endCommands ends the commands of some hosts, all at once.
func (c *applyPlan) endCommands(name string, of func(*plan.Host) bool) {
	var hosts, anew []string
	for i := range c.old.Hosts {
		if h := &c.old.Hosts[i]; len(h.Command) > 0 && of(h) {
			if hosts = append(hosts, h.Name); c.stays(h.Name) { // else the host begins anew as a whole
				anew = append(anew, "the command of "+h.Name)
			}
		}
	}
	if len(hosts) == 0 {
		return
	}
	var ran []string
	c.add(move{name: name, anew: strings.Join(anew, ", "),
		do: func(context.Context) error {
			var all sync.WaitGroup
			for _, host := range hosts {
				h := c.Host(host)
				if state, _, _ := h.Service(); state == Running {
					ran = append(ran, host)
				}
				all.Go(func() { h.service.stop(Patience) })
			}
			c.released(all.Wait)
			return nil
		},
		undo: func() error {
			var failed []error
			for _, host := range ran {
				failed = append(failed, c.startAgain(c.Host(host)))
			}
			return errors.Join(failed...)
		}})
}

// startCommands starts the commands of new hosts, and the new ones of those that stay.
func (c *applyPlan) startCommands() {
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		stop := func() error { c.stop(c.Host(h.Name), Patience); return nil }
		if !c.stays(h.Name) {
			if len(h.Command) > 0 {
				c.add(move{name: h.Name + " command started", undo: stop,
					do: func(context.Context) error { c.launch(c.Host(h.Name)); return nil }})
			}
			continue
		}
		before := c.old.Host(h.Name)
		if !commandChanges(before, h) {
			continue
		}
		what := "restarted"
		switch {
		case len(before.Command) == 0:
			what = "started"
		case len(h.Command) == 0:
			what = "stopped"
		}
		c.add(move{line: fmt.Sprintf("~ %s command %s", h.Name, what), undo: stop,
			do: func(context.Context) error {
				return c.start(c.renew(c.Host(h.Name)))
			}})
	}
}

// settle makes the plan the lab's own. What it changes besides is in the plan only: it is told, and done with.
func (c *applyPlan) commit() {
	var lines, hosts []string
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			continue
		}
		before := c.old.Host(h.Name)
		changed := fieldsThatDiffer(*before, *h, "interfaces", "gateway", "gateway_dev", "ports", "command", "environment", "working_dir", "sysctls")
		for j := range h.Interfaces {
			if old := nicOf(before, h.Interfaces[j].Network); old != nil {
				for _, name := range fieldsThatDiffer(*old, h.Interfaces[j], "name", "network", "address", "mac", "mtu", "port") {
					changed = append(changed, h.Interfaces[j].Network+"."+name)
				}
			}
		}
		if len(changed) > 0 {
			lines, hosts = append(lines, fmt.Sprintf("~ %s %s", h.Name, strings.Join(changed, " "))), append(hosts, h.Name)
		}
	}
	if changed := fieldsThatDiffer(*c.old, *c.now, "source", "networks", "hosts", "ip_forward", "rules", "docker_rules", "warnings"); len(changed) > 0 {
		lines = append(lines, "~ lab "+strings.Join(changed, " "))
	}
	var before *snapshot
	c.add(move{name: "the plan", line: strings.Join(lines, "\n"),
		do: func(context.Context) error {
			before = c.World.now.Load()
			c.change(func(p *snapshot) { c.adopt(p) })
			c.tellHosts(hosts)
			return nil
		},
		undo: func() error {
			c.show(before)
			c.tellHosts(hosts)
			return nil
		}})
}

// tellHosts makes files in hosts what the plan says of them.
func (w *World) tellHosts(names []string) {
	for _, name := range names {
		w.renewFiles(w.Host(name))
	}
}

// adopt puts everything into the order of the new plan, and gives it the new plan's word for what it is.
func (c *applyPlan) adopt(p *snapshot) {
	plan := *c.now
	p.plan, p.filed = &plan, c.filed
	var networks []*Network
	for i := range c.now.Networks {
		n := *p.network(c.now.Networks[i].Name)
		n.Plan = &c.now.Networks[i]
		networks = append(networks, &n)
	}
	var hosts []*Host
	for i := range c.now.Hosts {
		h := *p.host(c.now.Hosts[i].Name)
		h.Plan = &c.now.Hosts[i]
		var nics []*NIC
		for j := range h.Plan.Interfaces {
			nic := *h.nic(h.Plan.Interfaces[j].Network)
			nic.Plan = &h.Plan.Interfaces[j]
			nics = append(nics, &nic)
		}
		h.NICs = nics
		hosts = append(hosts, &h)
	}
	p.networks, p.hosts = networks, hosts
}
