//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// flood is what a third host sends while two others are measured, and where to.
type flood struct {
	name, kind string
	to         netip.Addr
	outside    bool // by the gateway
}

var (
	addrC    = netip.MustParsePrefix("10.99.0.4/24")
	macC     = frame.MACFromIPv4(addrC.Addr())
	gatewayC = netip.MustParseAddr("10.99.0.1")
	// beyond is an address outside from which no answer comes.
	beyond = netip.MustParseAddr("198.18.0.99")
)

func floods() []flood {
	return []flood{
		{name: "UDP, 64-byte frames", kind: "udp-64", to: addrB.Addr()},
		{name: "UDP, 1,400 bytes", kind: "udp-1400", to: addrB.Addr()},
		{name: "SYNs to the outside", kind: "syn", to: beyond, outside: true},
		{name: "broadcasts", kind: "broadcast", to: netip.MustParseAddr("10.99.0.255")},
		{name: "ARP questions", kind: "arp", to: addrB.Addr()},
		{name: "ICMP of 8,000 bytes", kind: "icmp-8000", to: addrB.Addr()},
		{name: "ICMP of 8,000 bytes to the gateway", kind: "icmp-8000", to: gatewayC, outside: true},
		{name: "fragments to the outside", kind: "fragments", to: beyond, outside: true},
	}
}

// floodRow is what a pair has left beside one flood: the goals are those of a bridge of the kernel's in the same round, for
// a flood takes processors from everybody, whoever carries it.
type floodRow struct {
	flood
	mean, p99    []float64 // of pings, in milliseconds, one a round
	own, kernels []float64 // TCP with the flood, divided by that without it
}

// The goals beside a flood.
const (
	floodMean  = 2   // milliseconds
	floodP99   = 10  // milliseconds
	floodShare = 0.5 // of what the kernel's bridge leaves of TCP
)

// besideFloods measures the chapter.
func (b *bench) besideFloods(r *results) error {
	const title = "Beside a flood"
	var all []flood
	for _, f := range floods() {
		if strings.Contains(title+": "+f.name, b.only) {
			all = append(all, f)
		}
	}
	for _, f := range all {
		r.floods = append(r.floods, &floodRow{flood: f})
	}
	for round := range b.rounds {
		for _, s := range []subject{{name: "uswitch", up: floodedLab}, {name: kernelBridge, up: floodedBridge}} {
			if len(all) == 0 {
				break
			}
			fmt.Fprintf(os.Stderr, "%s, round %d of %d: %s\n", title, round+1, b.rounds, s.name)
			err := b.with(s, func(p *pair) error { return p.besideFloods(r.floods, s.name == "uswitch") })
			if b.ctx.Err() != nil {
				return b.ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "  %s: %v\n", s.name, err)
			}
		}
	}
	return nil
}

// besideFloods measures one subject: TCP without a flood, then pings and TCP beside each.
func (p *pair) besideFloods(rows []*floodRow, own bool) error {
	tcp := stream((*pair).forth)
	for _, row := range rows {
		alone, err := tcp(p)
		if err != nil {
			return err
		}
		err = p.underFlood(row.flood, func() error {
			mean, p99, err := p.pings()
			if err != nil {
				return err
			}
			with, err := tcp(p)
			if err != nil {
				return err
			}
			if share := with / alone; own {
				row.mean, row.p99, row.own = append(row.mean, mean), append(row.p99, p99), append(row.own, share)
			} else {
				row.kernels = append(row.kernels, share)
			}
			fmt.Fprintf(os.Stderr, "  %s: ping %.3g ms, at 99 %% %.3g ms; TCP %.3g of %.3g Gbit/s\n", row.name, mean, p99, with, alone)
			return nil
		})
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "  %s: %v\n", row.name, err)
		}
	}
	return nil
}

var pingTime = regexp.MustCompile(`time=([0-9.]+) ms`)

// lostPing is what a ping counts that is not answered, in milliseconds.
const lostPing = 1000

// pings sends one a hundredth of a second and returns their mean and the 99th percentile, in milliseconds.
func (p *pair) pings() (mean, p99 float64, err error) {
	count := max(int(p.length.Seconds()*100), 100)
	out, err := p.command(p.a, "ping", "-n", "-i", "0.01", "-W", "1", "-c", strconv.Itoa(count), p.target.String()).CombinedOutput()
	times := pingTime.FindAllSubmatch(out, -1)
	if len(times) == 0 {
		return 0, 0, fmt.Errorf("ping: %w: %s", err, bytes.TrimSpace(out))
	}
	var all []float64
	for _, one := range times {
		ms, _ := strconv.ParseFloat(string(one[1]), 64)
		all = append(all, ms)
	}
	for len(all) < count {
		all = append(all, lostPing)
	}
	slices.Sort(all)
	for _, ms := range all {
		mean += ms / float64(len(all))
	}
	return mean, all[len(all)*99/100], nil
}

// addThird makes the namespace of the host that floods, and one for the outside, where no answer comes from.
func (p *pair) addThird() (outside tap.Namespace, err error) {
	for name, ns := range map[string]*tap.Namespace{"c": &p.third, "out": &outside} {
		if *ns, err = p.host.Create(lab, fmt.Sprintf("bench%d%s", os.Getpid(), name)); err != nil {
			return outside, err
		}
		made := *ns
		p.undo(func() { _ = p.host.Release(made) })
	}
	for _, line := range []string{
		"ip link add out type veth peer name nowhere",
		"ip addr add 198.18.0.1/24 dev out",
		"ip link set out arp off up",
		"ip link set nowhere up",
		"ip route add default dev out",
	} {
		if err := p.do(outside, line); err != nil {
			return outside, err
		}
	}
	return outside, nil
}

// floodedLab is uswitch with three hosts and a way out.
func floodedLab(p *pair) error {
	outside, err := p.addThird()
	if err != nil {
		return err
	}
	p.target, p.gatewayMAC = addrB.Addr(), frame.MACFromIPv4(gatewayC)
	err = p.lab(outside, p.uswitch, nil, fmt.Sprintf(`
networks:
  br0: {ipam: {config: [{subnet: %v, gateway: %v}]}}
services:
  A: {networks: {br0: {ipv4_address: %v, mac_address: "%v"}}, x-uswitch: {netns: %s}}
  B: {networks: {br0: {ipv4_address: %v, mac_address: "%v"}}, x-uswitch: {netns: %s}}
  C: {networks: {br0: {ipv4_address: %v, mac_address: "%v"}}, x-uswitch: {netns: %s}}
x-uswitch: {uplink: host, keep_up: true}
`, addrA.Masked(), gatewayC, addrA.Addr(), macA, p.a.Path, addrB.Addr(), macB, p.b.Path, addrC.Addr(), macC, p.third.Path))
	if err != nil {
		return err
	}
	return p.gatewayAndB()
}

// floodedBridge is what Docker has: a bridge in a namespace that masquerades.
func floodedBridge(p *pair) error {
	outside, err := p.addThird()
	if err != nil {
		return err
	}
	p.target = addrB.Addr()
	lines := []string{
		"ip link add br0 type bridge",
		"ip addr add " + gatewayC.String() + "/24 dev br0",
		"ip link set br0 up",
		"sysctl -qw net.ipv4.ip_forward=1",
		"iptables -t nat -A POSTROUTING -s " + addrA.Masked().String() + " -o out -j MASQUERADE",
	}
	ends := []struct {
		ns   tap.Namespace
		addr netip.Prefix
		mac  frame.MAC
	}{{p.a, addrA, macA}, {p.b, addrB, macB}, {p.third, addrC, macC}}
	for i, end := range ends {
		lines = append(lines, fmt.Sprintf("ip link add port%d type veth peer name eth0 address %v netns %s", i, end.mac, end.ns.Path),
			fmt.Sprintf("ip link set port%d master br0 up", i))
	}
	for _, line := range lines {
		if err := p.do(outside, line); err != nil {
			return err
		}
	}
	for _, end := range ends {
		for _, line := range []string{"ip addr add " + end.addr.String() + " dev eth0", "ip link set eth0 up", "ip route add default via " + gatewayC.String()} {
			if err := p.do(end.ns, line); err != nil {
				return err
			}
		}
	}
	return p.gatewayAndB()
}

// gatewayAndB waits until the pair is connected, and finds out the gateway's address as C sees it.
func (p *pair) gatewayAndB() error {
	if err := p.reachable(p.forth()); err != nil {
		return err
	}
	if err := p.do(p.third, "ping -n -c 1 -W 5 "+gatewayC.String()); err != nil {
		return err
	}
	out, err := p.command(p.third, "ip", "neigh", "show", gatewayC.String()).Output()
	if err != nil {
		return err
	}
	fields := strings.Fields(string(out))
	at := slices.Index(fields, "lladdr")
	if at < 0 || at+1 >= len(fields) {
		return fmt.Errorf("the gateway's address is not known: %s", out)
	}
	p.gatewayMAC, err = frame.ParseMAC(fields[at+1])
	return err
}

// floodTable writes the rows, with the goals.
func (r *results) floodTable(w io.Writer) {
	if len(r.floods) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Beside a flood\n\nTwo hosts while a third sends without end; what is left of TCP is divided by what the kernel's bridge leaves of its own.\n\n"+
		"| flood | ping, ms | ping at 99 %%, ms | TCP left | TCP left by the kernel's bridge | ratio | goal: ≤ %d, ≤ %d, ≥ %.1f |\n"+
		"| --- | ---: | ---: | ---: | ---: | ---: | --- |\n", floodMean, floodP99, floodShare)
	for _, row := range r.floods {
		mean, p99, own, kernel := median(row.mean), median(row.p99), median(row.own), median(row.kernels)
		measured := len(row.own) > 0 && len(row.kernels) > 0
		verdict := "**not reached**"
		if measured && mean <= floodMean && p99 <= floodP99 && own >= kernel*floodShare {
			verdict = "reached"
		}
		ratio := 0.0
		if kernel > 0 {
			ratio = own / kernel
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", row.name, number(mean, measured), number(p99, measured),
			number(own, measured), number(kernel, measured), number(ratio, measured), verdict)
	}
}
