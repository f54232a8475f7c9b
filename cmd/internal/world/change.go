package world

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
)

// Change is what `uswitch set` asks for. All of its values are taken, or none.
type Change struct {
	Kind    string // port, network, fdb or gateway
	Name    string // the host of a port, a network; for fdb the station's MAC address
	Network string // of a port or a station; not needed where there is only one
	Values  map[string]string
}

// Set carries a change out.
func (w *World) Set(c Change) error {
	if len(c.Values) == 0 {
		return fmt.Errorf("nothing to set: want KEY=VALUE")
	}
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	switch c.Kind {
	case "port":
		return w.setPort(c)
	case "network":
		return w.setNetwork(c)
	case "fdb":
		return w.setFDB(c)
	case "gateway":
		return w.setGateway(c)
	}
	return fmt.Errorf("set %s: want port, network, fdb or gateway", c.Kind)
}

func (w *World) setPort(c Change) error {
	host, nic, err := w.findNIC(c.Name, c.Network)
	if err != nil {
		return err
	}
	k, up := nic.Port.Flags(), ""
	if err := assign(c, map[string]func(string) error{
		"learning":    onOff(&k.Learning),
		"flood":       onOff(&k.Flood),
		"mcast_flood": onOff(&k.MulticastFlood),
		"bcast_flood": onOff(&k.BroadcastFlood),
		"isolated":    onOff(&k.Isolated),
		"ra_guard":    onOff(&k.RAGuard),
		"nd_guard":    onOff(&k.NDGuard),
		"dhcp_guard":  onOff(&k.DHCPGuard),
		"storm_limit": number(&k.StormLimit, 0, 1<<30),
		"up":          only("on", &up),
	}); err != nil {
		return err
	}
	switch why, out := nic.Unplugged(); {
	case out && up == "":
		reason, _, _ := strings.Cut(why, "\n")
		return fmt.Errorf("%s is unplugged (%s): set port %s up=on plugs it in again", host.Plan.Name, reason, c.Name)
	case out:
		if err := w.replug(context.Background(), host.Plan.Name, nic); err != nil {
			return err
		}
		nic = w.Host(host.Plan.Name).nic(nic.Plan.Network)
	}
	w.Network(nic.Plan.Network).Switch.SetFlags(nic.Port, k)
	return nil
}

func (w *World) setNetwork(c Change) error {
	n, err := w.findNetwork(c.Name)
	if err != nil {
		return err
	}
	seconds, most, groups := -1, -1, -1
	if err := assign(c, map[string]func(string) error{
		"ageing_time":     number(&seconds, 0, 1_000_000), // the range of IEEE 802.1D-2004 table 7-5, and 0 as Linux has it
		"fdb_max_learned": number(&most, 1, 1<<30),
		"group_fwd_mask":  mask(&groups),
	}); err != nil {
		return err
	}
	if groups >= 0 {
		if err := n.Switch.SetGroupForward(uint16(groups)); err != nil {
			return err
		}
	}
	if seconds >= 0 {
		n.Switch.FDB().SetAgeing(Ageing(seconds))
	}
	if most > 0 {
		n.Switch.FDB().SetMaxLearned(most)
	}
	return nil
}

// setFDB enters a station behind a host's port, or forgets it.
func (w *World) setFDB(c Change) error {
	mac, err := frame.ParseMAC(c.Name)
	if err != nil {
		return err
	}
	host, sticky := "", false
	if err := assign(c, map[string]func(string) error{
		"port":   text(&host),
		"sticky": onOff(&sticky),
	}); err != nil {
		return err
	}
	if host == "none" {
		n, err := w.findNetwork(c.Network)
		if err == nil && !n.Switch.FDB().Remove(mac) {
			err = fmt.Errorf("%v is not in the table of %s", mac, n.Plan.Name)
		}
		return err
	}
	if host == "" {
		return fmt.Errorf("set fdb %v: want port=HOST, or port=none to forget it", mac)
	}
	n, port, err := w.findPort(host, c.Network)
	if err != nil {
		return err
	}
	return n.Switch.SetStatic(mac, port, sticky)
}

func (w *World) setGateway(c Change) error {
	forwarding, t := w.gateway.Forwarding(), w.Timeouts()
	if err := assign(c, map[string]func(string) error{
		"ip_forward":              zeroOne(&forwarding),
		"tcp_timeout_established": duration(&t.TCPEstablished),
		"tcp_timeout_transitory":  duration(&t.TCPTransitory),
		"tcp_timeout_time_wait":   duration(&t.TCPTimeWait),
		"tcp_timeout_close":       duration(&t.TCPClose),
		"udp_timeout":             duration(&t.UDP),
		"icmp_timeout":            duration(&t.ICMP),
		"generic_timeout":         duration(&t.Other),
	}); err != nil {
		return err
	}
	w.gateway.SetForwarding(forwarding)
	w.gateway.SetTimeouts(t)
	w.change(func(p *snapshot) { p.timeouts = t })
	return nil
}

// Timeouts returns how long connections are remembered.
func (w *World) Timeouts() nat.Timeouts { return w.now.Load().timeouts }

// assign reads every value with the reader of its key.
func assign(c Change, readers map[string]func(string) error) error {
	for _, key := range slices.Sorted(maps.Keys(c.Values)) {
		read, ok := readers[key]
		if !ok {
			return fmt.Errorf("set %s: %q: want one of %s", c.Kind, key, strings.Join(slices.Sorted(maps.Keys(readers)), ", "))
		}
		if err := read(c.Values[key]); err != nil {
			return fmt.Errorf("set %s: %s: %w", c.Kind, key, err)
		}
	}
	return nil
}

// The readers below read a value as people type it into a variable.

// onOff reads a switch, as `bridge link set` and sysctl write it.
func onOff(v *bool) func(string) error {
	return func(text string) error {
		switch text {
		case "on", "1", "true":
			*v = true
		case "off", "0", "false":
			*v = false
		default:
			return fmt.Errorf("%q: want on or off", text)
		}
		return nil
	}
}

// only reads the one word that means something.
func only(word string, v *string) func(string) error {
	return func(text string) error {
		if text != word {
			return fmt.Errorf("%q: want %s", text, word)
		}
		*v = word
		return nil
	}
}

// mask reads sixteen bits, as ip link and sysfs do: 0x4000, or 16384.
func mask(v *int) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseUint(text, 0, 16)
		if err != nil {
			return fmt.Errorf("%q: want a number from 0 to 0xffff", text)
		}
		*v = int(n)
		return nil
	}
}

// zeroOne is onOff for what sysctl knows as a number.
func zeroOne(v *bool) func(string) error {
	return func(text string) error {
		if onOff(v)(text) != nil {
			return fmt.Errorf("%q: want 0 or 1", text)
		}
		return nil
	}
}

func number(v *int, least, most int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q: want a number from %d to %d", text, least, most)
		}
		*v = n
		return nil
	}
}

// duration reads whole seconds, as the kernel's timeouts are written.
func duration(v *time.Duration) func(string) error {
	return func(text string) error {
		n := 0
		if err := number(&n, 1, 1<<31-1)(text); err != nil {
			return fmt.Errorf("%w of seconds", err)
		}
		*v = time.Duration(n) * time.Second
		return nil
	}
}

func text(v *string) func(string) error {
	return func(text string) error {
		*v = text
		return nil
	}
}
