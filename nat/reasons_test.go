package nat_test

import (
	"net/netip"
	"strings"
	"testing"

	"uswitch/arp"
	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestNotForTheGateway: a frame that is somebody else's, or in a language that the gateway does not speak, ends at its door.
func TestNotForTheGateway(t *testing.T) {
	l := newLab(t)
	astray := l.red.frame(echo("11.11.11.2", "8.8.8.8", 7, ""))
	frame.Ethernet(astray.Data).SetHeader(frame.MAC{2, 9, 9, 9, 9, 9}, l.red.mac, frame.TypeIPv4)
	l.br0.inject(astray)
	l.drops(trace.OtherHost, 1)
	six := l.red.frame(make([]byte, 40))
	frame.Ethernet(six.Data).SetHeader(gatewayMAC, l.red.mac, frame.TypeIPv6)
	l.br0.inject(six)
	l.drops(trace.NoIPv6, 1)
	frame.Ethernet(six.Data).SetHeader(gatewayMAC, l.red.mac, 0x8847)
	l.br0.inject(six)
	l.drops(trace.NotIP, 1)
	l.red.send(frame.PutIPv4(make([]byte, 40), 47, 64, 1, l.red.addr, ip4("11.11.11.1")))
	l.drops(trace.NoProto, 1)
}

// TestARPIsTold: what the gateway makes of ARP packets that are no ordinary question.
func TestARPIsTold(t *testing.T) {
	l := newLab(t)
	say := func(op uint16, sender frame.MAC, spa netip.Addr, target frame.MAC, tpa string) {
		b := make([]byte, frame.EthernetHeader+frame.ARPLength)
		frame.Ethernet(b).SetHeader(gatewayMAC, sender, frame.TypeARP)
		frame.PutARP(b[frame.EthernetHeader:], op, sender, spa, target, ip4(tpa))
		l.br0.inject(frame.Frame{Data: b})
	}
	say(frame.ARPReply, gatewayMAC, ip4("11.11.11.1"), frame.MAC{}, "11.11.11.1")
	l.drops(trace.ARPLoop, 1)
	l.listen()
	say(frame.ARPRequest, l.red.mac, netip.IPv4Unspecified(), frame.MAC{}, "11.11.11.1")
	l.trace(t, "1.1 arp consume arp-probed", "2.1 arp accept originated")
	say(frame.ARPReply, frame.MAC{2, 0, 0, 0, 1, 77}, ip4("11.11.11.77"), gatewayMAC, "11.11.11.1")
	l.trace(t, "3.1 arp consume ignored")
}

// TestDeliveredIsTold: what ends at a program of the gateway's says so.
func TestDeliveredIsTold(t *testing.T) {
	l := newLab(t)
	l.open(frame.ProtoUDP, 53)
	l.listen()
	l.red.send(udp("11.11.11.2:1818", "11.11.11.1:53", "who?"))
	l.trace(t, "1.1 prerouting accept no-rule", "1.2 input accept -P INPUT ACCEPT", "1.3 input consume delivered")
}

// TestANeighbourByHandIsTold: a neighbour that was entered by hand is not one that was learned.
func TestANeighbourByHandIsTold(t *testing.T) {
	l := newLab(t)
	l.br1.leg.SetNeighbor(ip4("22.22.22.2"), l.blue.mac, l.now)
	l.listen()
	l.red.send(udp(redPort, "22.22.22.2:53", ""))
	l.trace(t, "1.1 prerouting accept no-rule", "1.2 route accept connected", "1.3 forward accept -P FORWARD ACCEPT",
		"1.4 postrouting accept no-rule", "1.5 neighbor accept static")
}

// TestEveryOtherNoteIsTold: the notes that no other story of this package tells.
func TestEveryOtherNoteIsTold(t *testing.T) {
	l := newLab(t)
	l.listen()
	l.red.arp(frame.ARPRequest, frame.MAC{})
	l.trace(t, "1.1 arp consume arp-answered", "2.1 arp accept originated")
	l.red.arp(frame.ARPReply, gatewayMAC)
	l.trace(t, "3.1 arp consume heard")
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(frame.Broadcast, l.red.mac, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPRequest, l.red.mac, l.red.addr, frame.MAC{}, l.pink.addr)
	l.br0.inject(frame.Frame{Data: b})
	l.trace(t, "4.1 arp consume not-mine")

	if err := l.AddRoute(netip.MustParsePrefix("33.0.0.0/8"), ip4("22.22.22.2"), l.br1.leg); err != nil {
		t.Fatal(err)
	}
	l.red.send(udp(redPort, "33.1.1.1:53", ""))
	l.trace(t, "5.1 prerouting accept no-rule", "5.2 route accept prefix", "5.3 forward accept -P FORWARD ACCEPT",
		"5.4 postrouting accept no-rule", "5.5 neighbor accept known")

	l.red.send(udp(redPort, "22.22.22.9:53", "first"), udp(redPort, "22.22.22.9:53", "second"))
	l.trace(t, "6.1 prerouting accept no-rule", "6.2 route accept connected", "6.3 forward accept -P FORWARD ACCEPT",
		"6.4 postrouting accept no-rule", "6.5 neighbor queue asked", "7.1 arp accept originated",
		"8.1 prerouting accept original", "8.2 route accept connected", "8.3 forward accept -P FORWARD ACCEPT", "8.4 neighbor queue waiting")
}

// TestAQuestionAfterAnOldNeighbourIsTold: an entry that is old is used, and asked for again.
func TestAQuestionAfterAnOldNeighbourIsTold(t *testing.T) {
	l := newLab(t)
	l.advance(arp.ReachableTime)
	l.red.send(udp(redPort, "22.22.22.2:53", ""))
	l.listen()
	l.advance(arp.DelayTime)
	l.trace(t, "1.1 arp accept probe", "2.1 arp consume heard")
}

// TestFragmentsAndErrorsAreTold: a packet that is cut says into how many, and an error about nothing that it is not tracked.
func TestFragmentsAndErrorsAreTold(t *testing.T) {
	l := newLab(t)
	small := &way{lab: l}
	small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: netip.MustParsePrefix("198.51.100.2/24"), MTU: 600, Uplink: small})
	l.listen()
	l.red.send(udp(redPort, "198.51.100.9:53", strings.Repeat("x", 1000)))
	l.trace(t, "1.1 prerouting accept no-rule", "1.2 route accept connected", "1.3 forward accept -P FORWARD ACCEPT",
		"1.4 postrouting accept no-rule", "1.5 postrouting accept fragmented", "1.6 egress accept sent", "1.7 egress accept sent")
	l.red.send(icmp("11.11.11.2", "22.22.22.2", 3, 3, 0, udp("22.22.22.2:1", "11.11.11.2:2", "never sent")))
	l.trace(t, "2.1 prerouting accept untracked", "2.2 route accept connected", "2.3 forward accept -P FORWARD ACCEPT", "2.4 neighbor accept known")
}

// loopback is a way out behind which this machine itself stands, too.
type loopback struct{ *way }

func (loopback) IsMachine(a netip.Addr) bool { return a == ip4("192.168.104.1") }

// TestThisMachineIsTold: what came from this machine itself, and what begins a connection, say so where they come in.
func TestThisMachineIsTold(t *testing.T) {
	l := newLab(t)
	host := loopback{&way{lab: l}}
	host.leg = l.add(nat.InterfaceConfig{Name: "host", Addr: netip.MustParsePrefix("192.168.104.2/24"), Uplink: host})
	l.listen()
	host.send(udp("192.168.104.1:1818", "22.22.22.2:53", ""))
	l.trace(t, "1.1 ingress accept machine", "1.2 prerouting accept no-rule", "1.3 route accept connected",
		"1.4 forward accept -P FORWARD ACCEPT", "1.5 postrouting accept no-rule", "1.6 neighbor accept known")
	host.send(tcp("192.168.104.1:1818", "22.22.22.2:80", seg{flags: "S"}))
	l.trace(t, "2.1 ingress accept accepted", "2.2 prerouting accept no-rule", "2.3 route accept connected",
		"2.4 forward accept -P FORWARD ACCEPT", "2.5 postrouting accept no-rule", "2.6 neighbor accept known")
}
