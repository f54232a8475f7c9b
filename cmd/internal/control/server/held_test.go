package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// The stations of twoHosts.
var (
	gatewayMAC = frame.MAC{2, 0x42, 11, 11, 11, 1}
	redMAC     = frame.MAC{2, 0x42, 11, 11, 11, 2}
	blueMAC    = frame.MAC{2, 0x42, 11, 11, 11, 3}
)

// ipFrame is an IP packet of a host's. Its transport checksum is right for ICMP; for UDP there is none.
func ipFrame(dst, src frame.MAC, proto, ttl uint8, from, to string, payload []byte) []byte {
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+len(payload))
	frame.Ethernet(b).SetHeader(dst, src, frame.TypeIPv4)
	ip := b[frame.EthernetHeader:]
	copy(ip[frame.IPv4Header:], payload)
	if proto == frame.ProtoICMP {
		frame.ICMP(ip[frame.IPv4Header:]).SetChecksum()
	}
	frame.PutIPv4(ip, proto, ttl, 1, addr(from), addr(to))
	return b
}

// echo is an echo request.
func echo(id byte) []byte { return []byte{frame.ICMPEcho, 0, 0, 0, 0, id, 0, 1} }

// syn is the beginning of a connection to a port.
func syn(from, to string, port byte) []byte {
	b := make([]byte, frame.TCPHeader)
	b[0], b[3], b[12], b[13] = 0x9c, port, frame.TCPHeader/4<<4, byte(frame.SYN)
	sum := frame.Checksum(b, frame.PseudoHeader(frame.ProtoTCP, addr(from), addr(to), len(b)))
	b[16], b[17] = byte(sum>>8), byte(sum)
	return b
}

// fragment makes a frame one of two fragments.
func fragment(b []byte, more bool, offset int) []byte {
	ip := frame.IPv4(b[frame.EthernetHeader:])
	ip.SetFragment(false, more, offset)
	ip.SetChecksum()
	return b
}

// TestNothingIsToldUnderALock holds packets of every kind at every step they take. Meanwhile every table can be read and
// changed, and other packets take every path: nobody who tells a step holds a lock.
func TestNothingIsToldUnderALock(t *testing.T) {
	s := start(t)
	s.Start()
	if _, err := s.world.Gateway().Rules().Exec([]string{"-A", "FORWARD", "-p", "udp", "--dport", "9", "-j", "LOG"}); err != nil {
		t.Fatal(err)
	}
	red := addr("11.11.11.2").String()
	udp := func(port byte) []byte { return []byte{0x9c, 0x40, 0, port, 0, 16, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8} }
	arp := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(arp).SetHeader(frame.Broadcast, redMAC, frame.TypeARP)
	frame.PutARP(arp[frame.EthernetHeader:], frame.ARPRequest, redMAC, addr(red), frame.MAC{}, addr("11.11.11.1"))
	conflict := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(conflict).SetHeader(frame.Broadcast, redMAC, frame.TypeARP)
	frame.PutARP(conflict[frame.EthernetHeader:], frame.ARPRequest, redMAC, addr("11.11.11.1"), frame.MAC{}, addr("11.11.11.1"))
	group := frame.MAC{1, 0, 0x5e, 0, 0, 1}
	packets := []struct {
		name  string
		bytes []byte
	}{
		{"a question to everyone", arp},
		{"a claim to the gateway's own", conflict},
		{"a ping to the gateway", ipFrame(gatewayMAC, redMAC, frame.ProtoICMP, 64, red, "11.11.11.1", echo(1))},
		{"a ping to the outside", ipFrame(gatewayMAC, redMAC, frame.ProtoICMP, 64, red, "8.8.8.8", echo(2))},
		{"a ping to BLUE", ipFrame(blueMAC, redMAC, frame.ProtoICMP, 64, red, "11.11.11.3", echo(3))},
		{"routed to nobody", ipFrame(gatewayMAC, redMAC, frame.ProtoICMP, 64, red, "11.11.11.77", echo(4))},
		{"its last hop", ipFrame(gatewayMAC, redMAC, frame.ProtoICMP, 1, red, "8.8.8.8", echo(5))},
		{"a port where nobody listens", ipFrame(gatewayMAC, redMAC, frame.ProtoUDP, 64, red, "11.11.11.1", udp(7))},
		{"what a rule takes note of", ipFrame(gatewayMAC, redMAC, frame.ProtoUDP, 64, red, "8.8.8.8", udp(9))},
		{"a connection that is refused", ipFrame(gatewayMAC, redMAC, frame.ProtoTCP, 64, red, "11.11.11.1", syn(red, "11.11.11.1", 80))},
		{"a martian", ipFrame(gatewayMAC, redMAC, frame.ProtoUDP, 64, "127.0.0.1", "8.8.8.8", udp(9))},
		{"a forged sender", ipFrame(gatewayMAC, gatewayMAC, frame.ProtoUDP, 64, red, "8.8.8.8", udp(9))},
		{"a group's name for its sender", ipFrame(gatewayMAC, group, frame.ProtoUDP, 64, red, "8.8.8.8", udp(9))},
		{"a frame to a group", ipFrame(group, redMAC, frame.ProtoUDP, 64, red, "224.0.0.1", udp(9))},
		{"an address where nobody is", ipFrame(frame.MAC{2, 9, 9, 9, 9, 9}, redMAC, frame.ProtoUDP, 64, red, "11.11.11.9", udp(9))},
		{"the first fragment of a packet", fragment(ipFrame(gatewayMAC, redMAC, frame.ProtoUDP, 64, red, "8.8.8.8", udp(5)), true, 0)},
		{"and the second one", fragment(ipFrame(gatewayMAC, redMAC, frame.ProtoUDP, 64, red, "8.8.8.8", udp(5)), false, 16)},
	}
	filter, err := trace.FilterSpec{Hosts: []string{"RED"}}.Compile(map[string][]netip.Addr{"RED": {addr(red)}})
	if err != nil {
		t.Fatal(err)
	}
	stepper := trace.NewStepper(trace.StepperConfig{Filter: filter, Max: 100, Patience: time.Hour, Now: time.Now})
	s.world.Tracer().AttachStepper(stepper)
	defer s.world.Tracer().DetachStepper(stepper)
	hooks := map[string]bool{}
	for _, p := range packets {
		s.host.Device("RED eth0").Send(p.bytes)
		for held := true; held; {
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			stop, err := stepper.Next(ctx)
			cancel()
			if err != nil {
				if held = stepper.Held() > 0; held {
					t.Fatalf("%s: it is held, and does not stop", p.name)
				}
				break
			}
			if stop.Kind != trace.Stepped {
				_ = stepper.Go(stop.Leg)
				continue
			}
			where, what := stop.Event.Step()
			at := fmt.Sprintf("%s at %s %s (%s)", p.name, where, what, stop.Event.Text(trace.English))
			hooks[stop.Event.Hook.String()] = true
			s.everythingElse(t, at)
			_ = stepper.Go(stop.Leg)
		}
	}
	for _, h := range trace.Hooks() {
		if h == trace.Encap || h == trace.Decap {
			continue // this lab has no tunnel: switch/vxlan's own tests step through one
		}
		if !hooks[h.String()] {
			t.Errorf("no packet stopped at %v", h)
		}
	}
}

// everythingElse reads and changes the tables, and sends packets of BLUE's, all of which must get through.
func (s *running) everythingElse(t *testing.T, held string) {
	t.Helper()
	g, network := s.world.Gateway(), s.world.Networks()[0]
	leg := network.Interface
	blue := s.host.Device("BLUE eth0")
	id := byte(rand.IntN(200) + 20)
	for what, do := range map[string]func(){
		"listing the tables": func() {
			network.Switch.Entries(time.Now())
			leg.Neighbors(time.Now())
			g.Conns(time.Now())
			g.Routes()
		},
		"changing the switch": func() {
			p := network.Switch.Ports()[1]
			network.Switch.SetFlags(p, p.Flags())
			_ = network.Switch.SetStatic(frame.MAC{2, 1, 2, 3, 4, 5}, p, false)
			network.Switch.FDB().SetMaxLearned(network.Switch.FDB().MaxLearned())
		},
		"changing the gateway": func() {
			g.SetForwarding(true)
			_ = g.AddRoute(netip.MustParsePrefix("10.9.0.0/16"), addr("11.11.11.3"), leg)
			g.RemoveRoute(netip.MustParsePrefix("10.9.0.0/16"))
			leg.SetNeighbor(addr("11.11.11.88"), blueMAC, time.Now())
			leg.RemoveNeighbor(addr("11.11.11.88"), time.Now())
			_, _ = g.Rules().Exec([]string{"-A", "FORWARD", "-s", "10.9.9.9", "-j", "DROP"})
			_, _ = g.Rules().Exec([]string{"-D", "FORWARD", "-s", "10.9.9.9", "-j", "DROP"})
			g.Unfollow(g.Follow())
			g.Tick(time.Now())
		},
		"packets of BLUE's": func() {
			blue.Send(ipFrame(frame.Broadcast, blueMAC, frame.ProtoUDP, 64, "11.11.11.3", "11.11.11.255", make([]byte, 8)))
			blue.Send(ipFrame(redMAC, blueMAC, frame.ProtoUDP, 64, "11.11.11.3", "11.11.11.99", make([]byte, 8)))
			blue.Send(ipFrame(gatewayMAC, blueMAC, frame.ProtoICMP, 64, "11.11.11.3", "8.8.8.8", echo(id)))
			blue.Send(ipFrame(gatewayMAC, blueMAC, frame.ProtoICMP, 64, "11.11.11.3", "11.11.11.1", echo(id)))
			blue.Send(ipFrame(gatewayMAC, blueMAC, frame.ProtoUDP, 64, "11.11.11.3", "11.11.11.1", make([]byte, 8)))
			blue.Send(fragment(ipFrame(gatewayMAC, blueMAC, frame.ProtoUDP, 64, "11.11.11.3", "8.8.8.8", make([]byte, 16)), true, 0))
			blue.Send(make([]byte, 60)) // the one before is through when this one is taken
		},
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			do()
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s waits for %s", what, held)
		}
	}
}
