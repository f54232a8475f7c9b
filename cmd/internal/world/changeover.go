package world

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/lab"
	"uswitch/tap"
)

// changeover is the way from a lab as it is to a plan, in moves that are made one after the other:
//
//	commands and hosts, cards and networks that go               make room
//	networks, hosts and cards that come                          take it
//	default routes, knobs, the gateway, rules, ports that open   what needs all of them
//	commands that end, the plan itself, commands that start
//
// What has only changed a little stays where it is; what cannot change in place goes and comes again.
type changeover struct {
	*World
	old, now *lab.Plan // now with what was added by hand
	filed    *lab.Plan // now without it
	moves    []move

	networks map[string]bool // that go, and come again if now has them
	hosts    map[string]bool // likewise
	cards    map[place]bool  // likewise, of hosts that stay
}

// place is where a card is.
type place struct{ host, network string }

// move is one step of a changeover, and how to go back.
type move struct {
	name string // what it does, for an error
	line string // for the person; empty: it is a part of another one
	do   func(context.Context) error
	undo func() error
	anew string // what is not as before when this has been done and undone
}

func (c *changeover) add(m move) {
	m.name = cmp.Or(m.name, m.line)
	c.moves = append(c.moves, m)
}

// check finds what would fail on the way, before anything is touched: rules that cannot be read, namespaces that are not
// there, programs that cannot be started.
func (c *changeover) check() error {
	if c.rulesChange() {
		if _, _, err := tablesOf(c.now); err != nil {
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
		if len(h.Command) > 0 && (before == nil || commandChanges(before, h)) {
			cmd := c.Command(&Host{Plan: h}, h.Command)
			cmd.Dir = h.WorkingDir
			if err := tap.Startable(cmd); err != nil {
				return fmt.Errorf("host %s: %w", h.Name, err)
			}
		}
	}
	return nil
}

// plot finds the moves.
func (c *changeover) plot() {
	c.compare()
	c.closePorts()
	c.endCommands("commands of hosts that go end", func(h *lab.Host) bool { return c.hosts[h.Name] })
	c.takeAway()
	c.bring()
	c.routes()
	c.knobs()
	c.gatewayAndRules()
	c.openPorts()
	c.endCommands("commands that change end", func(h *lab.Host) bool { return c.stays(h.Name) && commandChanges(h, c.now.Host(h.Name)) })
	c.settle()
	c.startCommands()
}

// compare finds what cannot change in place.
func (c *changeover) compare() {
	c.networks, c.hosts, c.cards = map[string]bool{}, map[string]bool{}, map[place]bool{}
	for i := range c.old.Networks {
		n := &c.old.Networks[i]
		now := networkOf(c.now, n.Name)
		c.networks[n.Name] = now == nil || n.Subnet != now.Subnet || n.Gateway != now.Gateway || n.GatewayMAC != now.GatewayMAC || n.MTU != now.MTU ||
			n.GatewayMode != now.GatewayMode // which decides about listeners as well
	}
	for i := range c.old.Hosts {
		h := &c.old.Hosts[i]
		now := c.now.Host(h.Name)
		c.hosts[h.Name] = now == nil || h.Netns != now.Netns || h.Mode != now.Mode || h.Shares != now.Shares ||
			h.Mode == lab.ModeShared && c.hosts[h.Shares] // which stands before it
		if c.hosts[h.Name] {
			continue
		}
		for _, card := range h.Interfaces {
			after := cardOf(now, card.Network)
			c.cards[place{h.Name, card.Network}] = after == nil || c.networks[card.Network] || after.Name != card.Name ||
				after.Address != card.Address || after.MAC != card.MAC || after.MTU != card.MTU
		}
	}
}

// stays reports whether a host is there before and after.
func (c *changeover) stays(host string) bool {
	goes, was := c.hosts[host]
	return was && !goes
}

// cardOf returns the plan of a host's card on a network, or nil.
func cardOf(h *lab.Host, network string) *lab.Interface {
	for i := range h.Interfaces {
		if h.Interfaces[i].Network == network {
			return &h.Interfaces[i]
		}
	}
	return nil
}

// takeAway is hosts, cards and networks that go, in reverse.
func (c *changeover) takeAway() {
	for i := range slices.Backward(c.old.Hosts) {
		if h := &c.old.Hosts[i]; c.hosts[h.Name] {
			c.add(c.hostGoes(h))
		}
	}
	for i := range c.old.Hosts {
		h := &c.old.Hosts[i]
		for j := range slices.Backward(h.Interfaces) {
			if card := &h.Interfaces[j]; c.cards[place{h.Name, card.Network}] {
				c.add(c.cardGoes(h.Name, card))
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

// bring is networks, hosts and cards that come.
func (c *changeover) bring() {
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
			card := &h.Interfaces[j]
			if goes, was := c.cards[place{h.Name, card.Network}]; goes || !was {
				c.add(c.cardComes(h.Name, card))
			}
		}
	}
}

// hostLine says of a host what it is called and where it is reached.
func hostLine(h *lab.Host) string {
	line := "host " + h.Name
	for _, i := range h.Interfaces {
		line += " " + i.Address.Addr().String()
	}
	return line
}

func (c *changeover) hostGoes(h *lab.Host) move {
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

func (c *changeover) cardGoes(host string, card *lab.Interface) move {
	var gateway netip.Addr
	var dev string
	return move{line: "- card " + cardLine(host, card),
		do: func(context.Context) error {
			h := c.Host(host)
			gateway, dev = h.Plan.Gateway, h.Plan.GatewayDev
			_, err := c.unplug(h, h.card(card.Network))
			return err
		},
		undo: func() error {
			h, err := c.plug(c.Host(host), card)
			if err == nil && dev == card.Name {
				_, err = c.setRoute(h, gateway, dev)
			}
			return err
		}}
}

func (c *changeover) cardComes(host string, card *lab.Interface) move {
	return move{line: "+ card " + cardLine(host, card),
		do: func(context.Context) error {
			_, err := c.plug(c.Host(host), card)
			return err
		},
		undo: func() error {
			_, err := c.unplug(c.Host(host), c.Host(host).card(card.Network))
			return err
		}}
}

func cardLine(host string, card *lab.Interface) string {
	return fmt.Sprintf("%s %s %s %v %v", host, card.Name, card.Network, card.Address.Addr(), card.MAC)
}

// routes is default routes of hosts that stay.
func (c *changeover) routes() {
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			continue
		}
		old := c.old.Host(h.Name)
		lost := slices.ContainsFunc(old.Interfaces, func(i lab.Interface) bool {
			return i.Name == old.GatewayDev && c.cards[place{h.Name, i.Network}]
		})
		if !lost && old.Gateway == h.Gateway && old.GatewayDev == h.GatewayDev {
			continue
		}
		line := fmt.Sprintf("~ %s default route via %v dev %s", h.Name, h.Gateway, h.GatewayDev)
		if !h.Gateway.IsValid() {
			line = fmt.Sprintf("~ %s no default route", h.Name)
		}
		var before *lab.Host
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
