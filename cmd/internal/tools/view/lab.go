package view

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
)

// Labs writes the labs that are up, as `docker ps` lists containers.
func Labs(w io.Writer, labs []api.Lab) error {
	t := newTable("LAB", "PID", "UP", "HOSTS", "NETWORKS", "UPLINK", "FROM")
	for _, l := range labs {
		t.add(l.Name, strconv.Itoa(l.PID), span(l.Now.Sub(l.Started)), strconv.Itoa(l.Hosts), strconv.Itoa(l.Networks), l.Uplink, l.Source)
	}
	return t.write(w)
}

// Lab writes what there is to say of one lab, a line each.
func Lab(w io.Writer, l api.Lab) error {
	where := "in namespaces of this machine"
	if l.Simulated {
		where = "in memory"
	}
	forward := "off"
	if l.Forward {
		forward = "on"
	}
	p := l.Predictions
	for _, line := range [][2]string{
		{"lab", l.Name},
		{"state", fmt.Sprintf("up for %s, %s, by process %d", span(l.Now.Sub(l.Started)), where, l.PID)},
		{"made from", l.Source},
		{"hosts", strconv.Itoa(l.Hosts)},
		{"networks", strconv.Itoa(l.Networks)},
		{"uplink", l.Uplink},
		{"ip_forward", forward},
		{"predictions", fmt.Sprintf("%d right, %d wrong, %d not decided", p.Right, p.Wrong, p.Unknown)},
		{"memory", memory(l.Memory)},
		{"connections", fmt.Sprintf("%d of %d, %d had to make room for others", l.Memory.Conns, l.Memory.MaxConns, l.Memory.Evicted)},
		{"bounds", fmt.Sprintf("%s of fragments, %d learned addresses a network, %d sockets of the uplink", size(int64(l.Memory.MaxFragments)),
			l.Memory.MaxLearned, l.Memory.MaxSockets)},
	} {
		if _, err := fmt.Fprintf(w, "%-12s %s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	if l.Rights == nil {
		return nil
	}
	for _, line := range rights(l.Rights) {
		for _, part := range wrap(line[1], 80-13) {
			if _, err := fmt.Fprintf(w, "%-12s %s\n", line[0], part); err != nil {
				return err
			}
			line[0] = ""
		}
	}
	return nil
}

// rights says what the process and the programs of hosts may do to the machine.
func rights(r *api.Rights) [][2]string {
	over := "they are this machine's root all the same: files and processes are not shut off"
	if r.UserNamespace {
		over = "they are root in a user namespace alone, and have nothing over this machine"
	}
	programs := strings.Join(r.Programs, " ") + "; " + over
	if len(r.Other) > 0 {
		programs += "; others by their own wish: " + strings.Join(r.Other, ", ")
	}
	return [][2]string{{"rights", strings.Join(r.Kept, " ")}, {"programs", programs}}
}

// memory says what a lab's process may have.
func memory(m api.Memory) string {
	if m.Limit == 0 {
		return "no limit: every table is as large as it is anywhere"
	}
	line := fmt.Sprintf("%s, says %s; the tables are made to fit", size(m.Limit), m.From)
	if m.Heap > 0 {
		line += fmt.Sprintf(", and GOMEMLIMIT is %s", size(m.Heap))
	}
	return line
}

// size writes a number of bytes.
func size(n int64) string {
	if n >= 10<<20 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// span writes a time as people say it: 12s, 5m, 2h.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// Hosts writes the hosts, a line for each network interface.
func Hosts(w io.Writer, hosts []api.Host) error {
	t := newTable("HOST", "CARD", "ADDRESS", "MAC", "NETWORK", "GATEWAY", "NAMESPACE", "COMMAND")
	for _, h := range hosts {
		name, gateway, namespace, command := h.Name, "-", h.Namespace.Path, serviceState(h)
		if h.Gateway.IsValid() {
			gateway = h.Gateway.String()
		}
		if h.Shares != "" {
			name += " (in " + h.Shares + ")"
		}
		if len(h.Interfaces) == 0 {
			t.add(name, "-", "-", "-", "-", gateway, namespace, command)
		}
		for _, i := range h.Interfaces {
			network := i.Network
			if i.Unplugged != "" {
				network += " (unplugged)"
			}
			t.add(name, i.Name, prefix(i.Address), i.MAC.String(), network, gateway, namespace, command)
			name, gateway, namespace, command = "", "", "", ""
		}
	}
	return t.write(w)
}

// serviceState says what a host's command does.
func serviceState(h api.Host) string {
	line := strings.Join(h.Command, " ")
	switch h.State {
	case "running":
		if h.PID == 0 { // a simulated one
			return "running: " + line
		}
		return fmt.Sprintf("running (process %d): %s", h.PID, line)
	case "waiting":
		return "waiting: " + line
	case "ended":
		return fmt.Sprintf("ended with status %d: %s", h.Status, line)
	}
	return "none"
}

// prefix is an address or a subnet that may be none.
func prefix(p netip.Prefix) string {
	if !p.IsValid() {
		return "-"
	}
	return p.String()
}

// Networks writes the networks.
func Networks(w io.Writer, networks []api.Network) error {
	t := newTable("NETWORK", "SUBNET", "GATEWAY", "GATEWAY'S MAC", "MTU", "PORTS", "LEARNED", "AGEING", "KIND")
	for _, n := range networks {
		kind := "routed"
		switch {
		case n.Internal:
			kind = "internal"
		case n.Masquerade:
			kind = "masqueraded"
		}
		if n.GroupFwdMask != 0 {
			kind += fmt.Sprintf(", group_fwd_mask %#x", n.GroupFwdMask)
		}
		gateway, mac := "none", "-"
		if n.Gateway.IsValid() {
			gateway, mac = n.Gateway.String(), n.GatewayMAC.String()
		}
		t.add(n.Name, prefix(n.Subnet), gateway, mac, strconv.Itoa(n.MTU), strconv.Itoa(n.Ports),
			fmt.Sprintf("%d of %d", n.FDBLearned, n.FDBMaxLearned), fmt.Sprintf("%ds", n.AgeingTime), kind)
	}
	if err := t.write(w); err != nil {
		return err
	}
	for _, n := range networks {
		if n.Conflicts == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: two hosts cannot share one address (%d claims so far): %s\n", n.Name, n.Conflicts, n.Conflict); err != nil {
			return err
		}
	}
	return nil
}

// Ports writes the switches' ports with what went through, and the flags that are not as they usually are.
func Ports(w io.Writer, ports []api.Port) error {
	t := newTable("NETWORK", "PORT", "NO", "MTU", "FROM HOST", "BYTES", "DROPPED", "TO HOST", "BYTES", "DROPPED", "FLAGS")
	for _, p := range ports {
		count := func(n uint64) string { return strconv.FormatUint(n, 10) }
		number := "-"
		if p.Number > 0 {
			number = count(uint64(p.Number))
		}
		t.add(p.Network, p.Name, number, strconv.Itoa(p.MTU), count(p.RxPackets), count(p.RxBytes), count(p.RxDropped),
			count(p.TxPackets), count(p.TxBytes), count(p.TxDropped), unusualFlags(p))
	}
	return t.write(w)
}

// unusualFlags names those of a port that are not as they usually are, in the words that set them.
func unusualFlags(p api.Port) string {
	if p.Number == 0 {
		return "the gateway"
	}
	var turned []string
	for _, k := range []struct {
		name      string
		on, usual bool
	}{
		{"learning", p.Learning, true}, {"flood", p.Flood, true}, {"mcast_flood", p.McastFlood, true},
		{"bcast_flood", p.BcastFlood, true}, {"isolated", p.Isolated, false},
		{"ra_guard", p.RAGuard, true}, {"nd_guard", p.NDGuard, true}, {"dhcp_guard", p.DHCPGuard, false},
	} {
		if k.on != k.usual {
			turned = append(turned, k.name+"="+map[bool]string{true: "on", false: "off"}[k.on])
		}
	}
	turned = append(turned, fmt.Sprintf("storm_limit=%d", p.StormLimit))
	return strings.Join(turned, " ")
}

// Published writes the ports that are open to the outside.
func Published(w io.Writer, ports []api.Published) error {
	t := newTable("OUTSIDE", "PROTOCOL", "HOST", "INSIDE")
	for _, p := range ports {
		t.add(netip.AddrPortFrom(p.HostIP, p.HostPort).String(), p.Protocol, cmp.Or(p.Host, "-"), p.To.String())
	}
	return t.write(w)
}
