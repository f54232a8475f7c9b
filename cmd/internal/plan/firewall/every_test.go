package firewall_test

import (
	"fmt"
	"net/netip"
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestEveryCombination makes every network that options can describe, also those of which nobody has kept the real dockerd's
// rules: they can be applied, a second Start finds nothing missing, what passes is what the options say, and nothing is left
// of them in the end.
func TestEveryCombination(t *testing.T) {
	bools := []bool{false, true}
	for _, dialect := range []firewall.Dialect{firewall.Docker20, firewall.Classic, firewall.Docker29} {
		for _, proxy := range bools {
			for _, direct := range bools {
				d := firewall.Daemon{Dialect: dialect, UserlandProxy: proxy, UserChain: true, ForwardDrop: true, AllowDirectRouting: direct}
				for _, mode := range []firewall.GatewayMode{"", firewall.NAT, firewall.NATUnprotected, firewall.Routed, firewall.Isolated} {
					for _, internal := range bools {
						for _, icc := range bools {
							for _, masquerade := range bools {
								for _, hostIP := range []netip.Addr{{}, netip.MustParseAddr("192.0.2.9")} {
									if mode == firewall.Isolated && !internal || dialect == firewall.Docker20 && mode != "" && mode != firewall.NAT {
										continue // which is refused
									}
									testCombination(t, d, firewall.Network{Bridge: "br-a", Subnet: netip.MustParsePrefix("10.1.0.0/24"), Internal: internal,
										ICC: icc, Masquerade: masquerade, GatewayMode: mode, HostIP: hostIP})
								}
							}
						}
					}
				}
			}
		}
	}
}

// testCombination puts a network beside an ordinary one, br-b, and publishes port 80 of its host 10.1.0.2.
func testCombination(t *testing.T, d firewall.Daemon, n firewall.Network) {
	t.Helper()
	h := newHost(t, rule.IPv4, d)
	h.start()
	clean := h.save()
	h.addNetwork(firewall.Network{Bridge: "br-b", Subnet: netip.MustParsePrefix("10.2.0.0/24"), ICC: true, Masquerade: true})
	alone := h.save()
	h.addNetwork(n)
	h.addEndpoint("br-a", netip.MustParseAddr("10.1.0.2"))
	h.addEndpoint("br-b", netip.MustParseAddr("10.2.0.2"))
	port := firewall.Port{Proto: "tcp", HostPort: 8080, To: netip.MustParseAddrPort("10.1.0.2:80")}
	if n.GatewayMode == firewall.Routed {
		port.HostPort = 0
	}
	h.addPorts("br-a", port)
	what := fmt.Sprintf("%+v, %+v", d, n)
	if lines, err := h.fw.Start(h.now()); err != nil || len(lines) > 0 {
		t.Errorf("%s: something is missing: %q, %v", what, lines, err)
	}

	now := h.tables.Fork().Snapshot() // whose counters may grow
	open := !n.Internal
	routed, unprotected := open && n.GatewayMode == firewall.Routed, open && n.GatewayMode == firewall.NATUnprotected
	direct := d.AllowDirectRouting || d.Dialect == firewall.Docker20
	published := open && (routed || unprotected || direct) // and reached at the host's own address
	for _, test := range []struct {
		what string
		p    rule.Packet
		want bool
	}{
		{"a neighbour", packet("br-a", "br-a", "10.1.0.3", "10.1.0.2", 80, rule.StateNew), n.ICC},
		{"the outside", packet("br-a", "eth0", "10.1.0.2", "192.0.2.1", 80, rule.StateNew), open},
		{"the outside's answer", packet("eth0", "br-a", "192.0.2.1", "10.1.0.2", 4000, rule.StateEstablished), open && (routed || unprotected || direct)},
		{"the published port, directly", packet("eth0", "br-a", "192.0.2.1", "10.1.0.2", 80, rule.StateNew), published},
		{"another port, directly", packet("eth0", "br-a", "192.0.2.1", "10.1.0.2", 81, rule.StateNew), unprotected},
		{"a ping", packet("eth0", "br-a", "192.0.2.1", "10.1.0.2", 0, rule.StateNew), routed || unprotected},
		{"the published port, from another network", packet("br-b", "br-a", "10.2.0.2", "10.1.0.2", 80, rule.StateNew),
			published && (routed || d.Dialect == firewall.Docker29)},
		{"another port, from another network", packet("br-b", "br-a", "10.2.0.2", "10.1.0.2", 81, rule.StateNew),
			unprotected && d.Dialect == firewall.Docker29},
		{"another network's port", packet("br-a", "br-b", "10.1.0.2", "10.2.0.2", 81, rule.StateNew), false},
	} {
		if got := passes(now, test.p, true); got != test.want {
			t.Errorf("%s: %s: passes: %v, want %v\n%s", what, test.what, got, test.want, h.save())
		}
	}
	// By the published port the address is another one when raw sees the packet, and so it is for answers that are translated.
	if got := passes(now, packet("eth0", "br-a", "192.0.2.1", "10.1.0.2", 80, rule.StateNew|rule.StateDNAT), false); got != open {
		t.Errorf("%s: by the published port: passes: %v, want %v", what, got, open)
	}
	if got := passes(now, packet("eth0", "br-a", "192.0.2.1", "10.1.0.2", 4000, rule.StateEstablished), false); got != open {
		t.Errorf("%s: a translated answer: passes: %v, want %v", what, got, open)
	}
	leaving := packet("", "eth0", "10.1.0.2", "192.0.2.1", 80, rule.StateNew)
	if got, want := now.Evaluate(rule.NAT, trace.Postrouting, &leaving).Verdict, leavesAs(n); got != want {
		t.Errorf("%s: leaves with %v, want %v", what, got, want)
	}

	h.removeEndpoint("br-b", netip.MustParseAddr("10.2.0.2"))
	h.removeNetwork("br-a")
	same(t, h.save(), alone)
	h.removeNetwork("br-b")
	same(t, h.save(), clean)
}

// leavesAs is what becomes of the source of what leaves a network.
func leavesAs(n firewall.Network) rule.Verdict {
	switch {
	case n.Internal || !n.Masquerade || n.GatewayMode == firewall.Routed:
		return rule.Accept
	case n.HostIP.IsValid():
		return rule.SNAT
	}
	return rule.Masquerade
}

// packet is a packet of TCP to a port, or a ping if the port is 0.
func packet(in, out, src, dst string, port uint16, state rule.ConnState) rule.Packet {
	tuple := frame.Tuple{SrcIP: frame.AddrOf(netip.MustParseAddr(src)), DstIP: frame.AddrOf(netip.MustParseAddr(dst)), Proto: frame.ProtoICMP}
	if port != 0 {
		tuple.Proto, tuple.SrcPort, tuple.DstPort = frame.ProtoTCP, 4000, port
	}
	return rule.Packet{InIface: in, OutIface: out, Tuple: tuple, State: state, ICMPType: 8, Length: 60}
}

// passes reports whether a packet gets through FORWARD and, if raw sees it as it is there, through raw.
func passes(now *rule.Ruleset, p rule.Packet, raw bool) bool {
	early := p
	early.OutIface = ""
	return (!raw || now.Evaluate(rule.Raw, trace.Prerouting, &early).Verdict == rule.Accept) &&
		now.Evaluate(rule.Filter, trace.Forward, &p).Verdict == rule.Accept
}
