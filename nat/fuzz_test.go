package nat_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// uniqueTuples fails the test if two connections could claim one packet.
func uniqueTuples(t *testing.T, l *lab) {
	t.Helper()
	seen := map[frame.Tuple]uint64{}
	for _, c := range l.Conns(l.now) {
		for _, tuple := range []frame.Tuple{c.Original, c.Reply} {
			if other, ok := seen[tuple]; ok && other != c.ID {
				t.Errorf("connections %d and %d both have %s > %s", other, c.ID, tuple.Source(), tuple.Destination())
			}
			seen[tuple] = c.ID
		}
	}
}

// FuzzNAT sends flows out and their answers back in: what comes back is what would have come without translation, byte
// for byte but for the time to live, checksums are right, partial ones stay partial, and no two connections share a tuple.
func FuzzNAT(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 3, 4, 5, 6, 0, 1, 1, 2, 3, 4, 5, 6, 2, 2, 1, 2, 3, 4, 5, 6}, uint8(0), []byte("data"))
	f.Add([]byte{3, 0, 0, 0, 0, 53, 0, 53, 4, 1, 0, 0, 0, 53, 0, 53}, uint8(1), []byte{})
	f.Add(bytes.Repeat([]byte{1, 0, 0, 9, 9, 9, 0, 80, 1, 1, 0, 9, 9, 9, 0, 80}, 5), uint8(2), []byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, flows []byte, rules uint8, payload []byte) {
		lists := [][]string{
			{masquerade},
			{masquerade + " --random", "-t nat -A PREROUTING -d 9.9.9.9/32 -j DNAT --to-destination 8.8.8.8"},
			{"-t nat -A POSTROUTING -o uplink -p udp -j SNAT --to-source 192.0.2.2-192.0.2.3:1000-1002", masquerade},
			hairpin,
			nil,
		}
		l := newLab(t, lists[int(rules)%len(lists)]...)
		payload = payload[:min(len(payload), 1000)]
		for ; len(flows) >= 8; flows = flows[8:] {
			who := l.red
			if flows[1]%2 == 1 {
				who = l.pink
			}
			src := fmt.Sprintf("%v:%d", who.addr, binary.BigEndian.Uint16(flows[2:]))
			dst := fmt.Sprintf("%s:%d", []string{"8.8.8.8", "9.9.9.9", "1.1.1.1"}[flows[4]%3], binary.BigEndian.Uint16(flows[6:]))
			var sent []byte
			switch flows[0] % 3 {
			case 0:
				sent = udp(src, dst, string(payload))
			case 1:
				sent = tcp(src, dst, seg{flags: "S", seq: 1, data: string(payload)})
			case 2:
				sent = echo(who.addr.String(), ap(dst).Addr().String(), ap(src).Port(), string(payload))
			}
			if flows[0]&0x80 != 0 && flows[0]%3 != 2 {
				l.br0.inject(partial(who, sent))
			} else {
				who.send(sent)
			}
			if len(l.wan.frames) == 0 {
				continue // refused
			}
			out := l.wan.frames[0]
			if out.Offload.NeedsChecksum != (flows[0]&0x80 != 0 && flows[0]%3 != 2) {
				t.Error("a partial checksum did not stay partial")
			}
			out.FinishChecksum()
			l.wan.frames = []frame.Frame{out}
			left := l.wan.raw()[0]
			read(t, left)
			answerComesHome(t, l, who, sent, left)
		}
		uniqueTuples(t, l)
	})
}

// FuzzSixNAT is FuzzNAT in IPv6: its checksums cover the addresses.
func FuzzSixNAT(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 1, 1, 2, 3, 4, 5, 2, 1, 2, 3, 4, 5}, uint8(0), []byte("data"))
	f.Add([]byte{0x80, 0, 53, 0, 53, 0, 0x81, 0, 80, 0, 80, 1}, uint8(1), []byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, flows []byte, rules uint8, payload []byte) {
		const masquerade6 = "-t nat -A POSTROUTING -s fd00:1::/64 ! -o br0 -j MASQUERADE"
		lists := [][]string{{masquerade6}, {masquerade6 + " --random", "-t nat -A PREROUTING -d 2001:db8:9::9 -j DNAT --to-destination 2001:db8:9::8"},
			{"-t nat -A POSTROUTING -o uplink -p udp -j SNAT --to-source [2001:db8::2-2001:db8::3]:1000-1002", masquerade6}, nil}
		l := newLab6(t, lists[int(rules)%len(lists)]...)
		payload = payload[:min(len(payload), 1000)]
		for ; len(flows) >= 6; flows = flows[6:] {
			src, dst := binary.BigEndian.Uint16(flows[1:]), binary.BigEndian.Uint16(flows[3:])
			to := []string{"2001:db8:9::9", "2001:db8:9::1"}[flows[5]%2]
			var sent frame.IPv6
			switch proto := []uint8{frame.ProtoUDP, frame.ProtoTCP, frame.ProtoICMPv6}[flows[0]%3]; proto {
			case frame.ProtoUDP:
				sent = udp6("fd00:1::2", to, src, dst, len(payload))
			case frame.ProtoTCP:
				sent = packet6(proto, 64, "fd00:1::2", to, make([]byte, 20+len(payload)))
				u := sent.Payload()
				binary.BigEndian.PutUint16(u, src)
				binary.BigEndian.PutUint16(u[2:], dst)
				u[12], u[13] = 5<<4, byte(frame.SYN)
			default:
				sent = echo6("fd00:1::2", to, frame.ICMPv6Echo, src, len(payload))
			}
			copy(sent[len(sent)-len(payload):], payload)
			sealed6(sent)
			l.red6.send6(sent)
			all := l.wan.raw()
			if len(all) == 0 {
				continue // refused
			}
			left := frame.IPv6(all[0])
			read6(t, left)
			l.br0.frames = nil
			l.wan.send(turned6(left))
			home := l.br0.one6()
			read6(t, home)
			want := turned6(sent)
			want[7] = home[7]
			if !bytes.Equal(home, want) {
				t.Errorf("came home as\n%x, want\n%x", home, want)
			}
		}
		uniqueTuples(t, l.lab)
	})
}

// sealed6 gives a packet its checksum.
func sealed6(p frame.IPv6) {
	switch u := p.Payload(); p.Proto() {
	case frame.ProtoICMPv6:
		frame.IP(p).SetICMPChecksum()
	case frame.ProtoUDP:
		frame.UDP(u).SetChecksum(p.Src(), p.Dst())
	case frame.ProtoTCP:
		u[16], u[17] = 0, 0
		binary.BigEndian.PutUint16(u[16:], frame.Checksum(u, frame.PseudoHeader(frame.ProtoTCP, p.Src(), p.Dst(), len(u))))
	}
}

// read6 fails the test unless a packet is whole and its checksum right.
func read6(t *testing.T, b frame.IPv6) {
	t.Helper()
	p, err := frame.ParseIPv6(b)
	if err != nil || len(p) != len(b) || frame.Checksum(p.Payload(), frame.PseudoHeader(p.Proto(), p.Src(), p.Dst(), len(p.Payload()))) != 0 {
		t.Fatalf("not a good packet (%v): %x", err, b)
	}
}

// turned6 is turned in IPv6.
func turned6(b frame.IPv6) frame.IPv6 {
	p := bytes.Clone(b)
	copy(p[8:24], b[24:40])
	copy(p[24:40], b[8:24])
	p[7] = 64
	switch u := p[frame.IPv6Header:]; p[6] {
	case frame.ProtoICMPv6:
		u[0] = frame.ICMPv6EchoReply
	case frame.ProtoTCP:
		u[13] = byte(frame.SYN | frame.ACK)
		fallthrough
	default:
		u[0], u[1], u[2], u[3] = u[2], u[3], u[0], u[1]
	}
	sealed6(p)
	return p
}

// answerComesHome turns a packet that left around, lets it in, and compares what its sender gets with its own packet
// turned around.
func answerComesHome(t *testing.T, l *lab, who host, sent, left []byte) {
	t.Helper()
	l.br0.frames = nil
	l.wan.send(turned(left))
	if len(l.br0.frames) != 1 {
		t.Fatalf("the answer to %s did not come home: %d frames", describe(left), len(l.br0.frames))
	}
	if to := frame.Ethernet(l.br0.frames[0].Data).Dst(); to != who.mac {
		t.Errorf("the answer to %s went to %v", describe(sent), to)
	}
	got := l.br0.raw()[0]
	read(t, got)
	want := turned(sent)
	want[8], want[10], want[11] = got[8], got[10], got[11] // the hop, and the checksum of its header, which read has verified
	if !bytes.Equal(got, want) {
		t.Errorf("came home as\n%x, want\n%x", got, want)
	}
}

// turned returns the answer to a packet: ends swapped, an echo request made its reply.
func turned(b []byte) []byte {
	ip := frame.IPv4(bytes.Clone(b))
	ip[8] = 64
	src, dst := ip.Src().As4(), ip.Dst().As4()
	copy(ip[12:], dst[:])
	copy(ip[16:], src[:])
	ip.SetChecksum()
	p := ip.Payload()
	switch ip.Proto() {
	case frame.ProtoICMP:
		p[0] = frame.ICMPEchoReply
		frame.ICMP(p).SetChecksum()
	case frame.ProtoTCP:
		p[0], p[1], p[2], p[3] = p[2], p[3], p[0], p[1]
		p[13] = byte(frame.SYN | frame.ACK)
		return sealed(ip, 16)
	case frame.ProtoUDP:
		p[0], p[1], p[2], p[3] = p[2], p[3], p[0], p[1]
		return sealed(ip, 6)
	}
	return ip
}

// FuzzICMPError lets errors with arbitrary quotations in from outside, made from packets that really left. Whatever gets
// through is an error about what its receiver sent, with right checksums, and no connection suffers.
func FuzzICMPError(f *testing.F) {
	f.Add(uint8(3), uint8(3), uint32(0), uint16(100), []byte{}, uint8(0))
	f.Add(uint8(11), uint8(0), uint32(0), uint16(28), []byte{10, 1, 20, 200}, uint8(1))
	f.Add(uint8(3), uint8(4), uint32(1280), uint16(40), []byte{0, 0x46, 9, 1}, uint8(2))
	f.Add(uint8(5), uint8(1), uint32(1), uint16(28), []byte{2, 255, 3, 255}, uint8(0))
	f.Fuzz(func(t *testing.T, kind, code uint8, rest uint32, size uint16, patches []byte, what uint8) {
		l := newLab(t, masquerade)
		l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", "pink"), echo("11.11.11.3", "8.8.8.8", 7, "pink"),
			tcp("11.11.11.3:1818", server, seg{flags: "S"}))
		l.red.send(udp(redPort, "8.8.8.8:53", "red"), echo("11.11.11.2", "8.8.8.8", 7, "red"), tcp(redPort, server, seg{flags: "S"}))
		sent := l.wan.raw()[3:]
		before := l.Conns(l.now)
		quote := bytes.Clone(sent[int(what)%3])
		quote = quote[:min(int(size), len(quote))]
		for ; len(patches) >= 2 && len(quote) > 0; patches = patches[2:] {
			quote[int(patches[0])%len(quote)] ^= patches[1]
		}
		l.wan.send(icmp("10.0.0.9", "192.0.2.2", kind, code, rest, quote))
		for _, b := range l.br0.raw() {
			ip := frame.IPv4(b)
			if !ip.ChecksumOK() || frame.Checksum(ip.Payload(), 0) != 0 {
				t.Fatalf("a wrong checksum: %x", b)
			}
			inner, ok := quoteOf(ip)
			if m := frame.ICMP(ip.Payload()); ok && m.IsError() && inner.Src() != ip.Dst() {
				t.Errorf("%s", describe(ip))
			}
		}
		l.want(l.br1)
		for i, c := range l.Conns(l.now) {
			if c.ID <= uint64(len(before)) && (c.Timeout != before[i].Timeout || c.State != before[i].State || c.Packets[0] != before[i].Packets[0]) {
				t.Errorf("an error changed connection %d: %+v", c.ID, c)
			}
		}
	})
}

// fuzzRules are what the packets of FuzzInput meet.
var fuzzRules = append([]string{"-A INPUT -p tcp -j REJECT --reject-with tcp-reset", "-A FORWARD -p udp --dport 1000:2000 -j REJECT",
	"-A FORWARD -m conntrack --ctstate INVALID -j DROP", "-A FORWARD -p icmp -j LOG", "-t raw -A PREROUTING -p 99 -j DROP",
	"-t nat -A OUTPUT -p udp -j DNAT --to-destination 22.22.22.2"}, hairpin...)

// FuzzInput sends arbitrary IP packets from every side through rules of every kind. Nothing panics, each packet has exactly
// one outcome, and what leaves complete has right checksums wherever it came with right ones.
func FuzzInput(f *testing.F) {
	f.Add(udp(redPort, "8.8.8.8:53", "data"), uint8(0), true, uint8(0))
	f.Add(tcp("11.11.11.2:5", "192.0.2.2:8080", seg{flags: "S", options: windowScale(7)}), uint8(1), false, uint8(1))
	f.Add(icmp("8.8.8.8", "192.0.2.2", 3, 3, 0, udp("192.0.2.2:1", "8.8.8.8:53", "")), uint8(2), true, uint8(0))
	f.Add(withOptions(echo("11.11.11.2", "11.11.11.1", 7, "data"), 7, 3, 4, 0), uint8(0), true, uint8(2))
	f.Add(fragment(whole(), 0, 40, true), uint8(0), true, uint8(3))
	f.Add(packetOf(47, ip4("22.22.22.2"), ip4("11.11.11.2"), []byte("gre")), uint8(1), true, uint8(4))
	f.Fuzz(func(t *testing.T, packet []byte, from uint8, mend bool, offload uint8) {
		if len(packet) > 3000 {
			return
		}
		l := newLab(t, fuzzRules...)
		small := &way{lab: l}
		small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: prefix("198.51.100.2/24"), MTU: 100, Uplink: small})
		l.red.send(udp(redPort, "8.8.8.8:53", "so that there is a connection"))
		l.br0.frames, l.br1.frames, l.wan.frames = nil, nil, nil
		packet = bytes.Clone(packet)
		if mend {
			mendChecksums(packet)
		}
		ip, err := frame.ParseIPv4(packet)
		right := err == nil && transportIsRight(ip)
		l.listen()
		switch h := []host{l.red, l.blue}; from % 3 {
		case 2:
			l.wan.send(packet)
		default:
			fr := h[from%3].frame(packet)
			if offload&1 != 0 {
				fr.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: uint16(offload) * 2, ChecksumOffset: uint16(offload) / 4}
			}
			right = right && fr.Offload == frame.Offload{}
			if fr.Offload.Valid(len(fr.Data)) { // the switch has seen to that
				[]*wire{l.br0, l.br1}[from%3].inject(fr)
			}
		}
		sentRight(t, l, small, right)
		oneOutcome(t, l)
		uniqueTuples(t, l)
		l.advance(40 * time.Second) // fragments time out, neighbours fail
		sentRight(t, l, small, right)
	})
}

// mendChecksums gives arbitrary bytes a chance to get past the first check.
func mendChecksums(b []byte) {
	ip, err := frame.ParseIPv4(b)
	if err != nil {
		return
	}
	ip.SetChecksum()
	switch p := ip.Payload(); {
	case ip.IsFragment():
	case ip.Proto() == frame.ProtoICMP && len(p) >= frame.ICMPHeader:
		frame.ICMP(p).SetChecksum()
	case ip.Proto() == frame.ProtoUDP && len(p) >= frame.UDPHeader:
		sealed(ip, 6)
	case ip.Proto() == frame.ProtoTCP && len(p) >= frame.TCPHeader:
		sealed(ip, 16)
	}
}

// transportIsRight reports whether a packet came complete and with right checksums.
func transportIsRight(ip frame.IPv4) bool {
	if len(ip.Payload()) < 8 {
		return false
	}
	if u := frame.UDP(ip.Payload()); ip.Proto() == frame.ProtoUDP && u.Length() != len(u) {
		return false // what the checksum covers is anybody's guess
	}
	return badChecksum(ip) == ""
}

// sentRight fails the test if something has left with a wrong checksum, unless it came so.
func sentRight(t *testing.T, l *lab, small *way, right bool) {
	t.Helper()
	for _, b := range append(append(append(l.br0.raw(), l.br1.raw()...), l.wan.raw()...), small.raw()...) {
		ip, err := frame.ParseIPv4(b)
		if err != nil || !ip.ChecksumOK() {
			t.Fatalf("left: %v %x", err, b)
		}
		if bad := badChecksum(ip); right && bad != "" {
			t.Errorf("left with a wrong %s checksum: %x", bad, b)
		}
	}
}

// oneOutcome fails the test unless each journey ends with one step after which the packet is gone, and has no other.
func oneOutcome(t *testing.T, l *lab) {
	t.Helper()
	steps := map[uint64][]trace.Event{}
	var e trace.Event
	for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
		steps[e.Packet] = append(steps[e.Packet], e)
		e.Frame.Data = nil
	}
	for _, journey := range steps {
		ends, pieces := 0, 1
		for i, e := range journey {
			if int(e.Hop) != i+1 {
				t.Errorf("%s: want hop %d", line(e), i+1)
			}
			if e.Note == trace.FragmentedInto {
				pieces = int(e.Count)
			}
			// Onto a network the neighbour is the gateway's last word, onto an uplink egress.
			if e.Verdict == trace.Drop || e.Verdict == trace.Queue || e.Verdict == trace.Consume ||
				e.Hook == trace.Egress || e.Hook == trace.Neighbor || e.Hook == trace.ARP && e.Verdict == trace.Accept {
				ends++
			}
		}
		if ends != pieces {
			var lines []string
			for _, e := range journey {
				lines = append(lines, line(e))
			}
			t.Errorf("%d outcomes, want %d:\n  %s", ends, pieces, joined(lines))
		}
	}
}
