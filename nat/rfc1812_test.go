package nat_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

func joined(lines []string) string { return strings.Join(lines, "\n  ") }

const (
	redToDNS = "udp 11.11.11.2:1818 > 8.8.8.8:53"
	asked    = "192.0.2.2:1818 > 8.8.8.8:53"
)

func TestG1TimeToLive(t *testing.T) {
	for _, ttl := range []uint8{0, 1} {
		l := newLab(t)
		l.red.send(withTTL(udp("11.11.11.2:1818", "8.8.8.8:53", "q"), ttl))
		l.want(l.br0, "icmp 11/0 11.11.11.1 > 11.11.11.2 ttl 64 about "+redToDNS+" ttl "+string('0'+ttl)+" \"q\"")
		l.want(l.wan)
		l.drops(trace.TTLExpired, 1)
	}
	l := newLab(t)
	l.red.send(withTTL(udp("11.11.11.2:1818", "8.8.8.8:53", "q"), 2), withTTL(echo("11.11.11.2", "11.11.11.1", 7, ""), 1))
	l.want(l.wan, redToDNS+" ttl 1 \"q\"")
	l.want(l.br0, "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7")
}

func TestG2Header(t *testing.T) {
	good := udp("11.11.11.2:1818", "8.8.8.8:53", "hello")
	for name, c := range map[string]struct {
		spoil func(b []byte) []byte
		why   trace.Reason
	}{
		"version 6":           {func(b []byte) []byte { b[0] = 0x65; return b }, trace.IPHeader},
		"header of 16":        {func(b []byte) []byte { b[0] = 0x44; return b }, trace.IPHeader},
		"header past the end": {func(b []byte) []byte { b[0] = 0x4f; return b }, trace.IPHeader},
		"longer than frame":   {func(b []byte) []byte { b[3]++; return b }, trace.IPHeader},
		"shorter than header": {func(b []byte) []byte { b[3] = 19; return b }, trace.IPHeader},
		"length 0":            {func(b []byte) []byte { b[3] = 0; return b }, trace.IPHeader},
		"checksum":            {func(b []byte) []byte { b[10]++; return b }, trace.IPChecksum},
		"19 bytes":            {func(b []byte) []byte { return b[:19] }, trace.PktTooSmall},
		"nothing":             {func(b []byte) []byte { return nil }, trace.PktTooSmall},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.red.send(c.spoil(append([]byte(nil), good...)))
			l.drops(c.why, 1)
			l.nothing()
		})
	}
}

func TestG3PaddingIsNotForwarded(t *testing.T) {
	l := newLab(t)
	for _, padding := range []int{1, 18, 1400} {
		l.red.send(append(udp("11.11.11.2:1818", "8.8.8.8:53", "q"), make([]byte, padding)...))
		l.want(l.wan, redToDNS+" ttl 63 \"q\"")
	}
}

func TestG3ReservedBitIsNoFragment(t *testing.T) {
	// RFC 3514's evil bit: the packet is whole, and passes as it is.
	l := newLab(t)
	evil := udp("11.11.11.2:1818", "8.8.8.8:53", "q")
	evil[6] |= 0x80
	frame.IPv4(evil).SetChecksum()
	l.red.send(evil)
	out := l.wan.raw()
	if len(out) != 1 || read(t, out[0]) != redToDNS+" ttl 63 \"q\"" || out[0][6] != 0x80 {
		t.Errorf("came out: %x", out)
	}
}

func TestG4Unreachable(t *testing.T) {
	l := newLab(t)
	l.red.send(udp("11.11.11.2:5", "11.11.11.1:99", "q"))
	l.want(l.br0, "icmp 3/3 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:5 > 11.11.11.1:99 ttl 64 \"q\"")
	l.red.send(packetOf(253, ip4("11.11.11.2"), ip4("11.11.11.1"), []byte("12345678")))
	l.want(l.br0, "icmp 3/2 11.11.11.1 > 11.11.11.2 ttl 64 about proto 253 11.11.11.2 > 11.11.11.1 ttl 64")
	l.red.send(tcp("11.11.11.2:5", "11.11.11.1:99", seg{flags: "S", seq: 7}))
	l.want(l.br0, "tcp 11.11.11.1:99 > 11.11.11.2:5 ttl 64 RA")

	// The address of the network that it did not come by: the answer is from where the question went, as in Linux.
	l.red.send(udp("11.11.11.2:5", "22.22.22.1:99", "q"))
	l.want(l.br0, "icmp 3/3 22.22.22.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:5 > 22.22.22.1:99 ttl 64 \"q\"")

	l.RemoveRoute(defaultRoute)
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", "q"))
	l.want(l.br0, "icmp 3/0 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:5 > 8.8.8.8:53 ttl 64 \"q\"")
	l.drops(trace.NoRoute, 1)
}

func TestG4UplinkSaysWhy(t *testing.T) {
	for reason, want := range map[trace.Reason]string{
		trace.Refused: "icmp 3/3", trace.Unreachable: "icmp 3/1", trace.NoUplink: "icmp 3/0",
		trace.HostForbidden: "icmp 3/13", trace.HostUnknown: "icmp 3/13", trace.NoMem: "icmp 3/13", trace.TimedOut: "", trace.Limited: "",
	} {
		l := newLab(t, masquerade)
		l.wan.refuse = reason
		l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "q"))
		l.drops(reason, 1)
		if want == "" {
			l.want(l.br0)
			continue
		}
		// What the sender reads is what it sent, but for the time to live.
		l.want(l.br0, want+" 11.11.11.1 > 11.11.11.2 ttl 64 about "+redToDNS+" ttl 63 \"q\"")
	}
}

func TestG5NothingIsSaidAbout(t *testing.T) {
	refused := udp("11.11.11.2:1818", "11.11.11.1:99", "to a closed port")
	broadcast := func(h host, packet []byte) frame.Frame {
		f := h.frame(packet)
		copy(f.Data, frame.Broadcast[:])
		return f
	}
	all := []string{"-A INPUT -j REJECT", "-A FORWARD -j REJECT"}
	for name, c := range map[string]struct {
		rules []string
		frame func(host) frame.Frame
	}{
		"an ICMP error": {all, func(h host) frame.Frame {
			return h.frame(icmp("11.11.11.2", "8.8.8.8", 3, 3, 0, udp("8.8.8.8:53", "11.11.11.2:7", "")))
		}},
		"an unknown ICMP type":    {all, func(h host) frame.Frame { return h.frame(icmp("11.11.11.2", "8.8.8.8", 200, 0, 0, nil)) }},
		"a later fragment":        {all, func(h host) frame.Frame { return h.frame(fragment(refused, 16, 24, false)) }},
		"a broadcast of layer 2":  {nil, func(h host) frame.Frame { return broadcast(h, refused) }},
		"the same, rejected":      {all, func(h host) frame.Frame { return broadcast(h, refused) }},
		"a multicast":             {all, func(h host) frame.Frame { return h.frame(udp("11.11.11.2:5", "224.0.0.1:5", "")) }},
		"everyone":                {all, func(h host) frame.Frame { return h.frame(udp("11.11.11.2:5", "255.255.255.255:5", "")) }},
		"everyone on the network": {all, func(h host) frame.Frame { return h.frame(udp("11.11.11.2:5", "11.11.11.255:5", "")) }},
		"a SYN to everyone": {[]string{"-A INPUT -p tcp -j REJECT --reject-with tcp-reset"}, func(h host) frame.Frame {
			return h.frame(tcp("11.11.11.2:5", "11.11.11.255:5", seg{flags: "S"}))
		}},
		"a RST":               {nil, func(h host) frame.Frame { return h.frame(tcp("11.11.11.2:5", "11.11.11.1:5", seg{flags: "R"})) }},
		"an echo to everyone": {nil, func(h host) frame.Frame { return h.frame(echo("11.11.11.2", "11.11.11.255", 7, "")) }},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, c.rules...)
			l.br0.inject(c.frame(l.red))
			l.nothing()
		})
	}
}

func TestG5RateLimit(t *testing.T) {
	l := newLab(t)
	flood := func() (n int) {
		for range 100 {
			l.red.send(udp("11.11.11.2:5", "11.11.11.1:99", "q"))
		}
		return len(l.br0.packets())
	}
	if n := flood(); n != 6 {
		t.Errorf("%d errors at once, want 6", n)
	}
	l.now = l.now.Add(2 * time.Second)
	if n := flood(); n != 2 {
		t.Errorf("%d errors two seconds later, want 2", n)
	}
	// Others have an allowance of their own.
	l.pink.send(udp("11.11.11.3:5", "11.11.11.1:99", "q"))
	if n := len(l.br0.packets()); n != 1 {
		t.Errorf("%d errors to another host, want 1", n)
	}
	// A clock that is set back does not silence the gateway.
	l.now = epoch.Add(-time.Hour)
	flood()
	l.now = l.now.Add(10 * time.Second)
	if n := flood(); n == 0 {
		t.Error("no error ten seconds after the clock was set back")
	}
}

func TestG6AsMuchAsFits(t *testing.T) {
	for _, size := range []int{0, 1, 8, 519, 520, 521, 1400} {
		l := newLab(t)
		sent := udp("11.11.11.2:5", "11.11.11.1:99", strings.Repeat("x", size))
		l.red.send(sent)
		raw := l.br0.raw()
		if len(raw) != 1 {
			t.Fatalf("%d packets, want 1", len(raw))
		}
		read(t, raw[0])
		if want := min(28+len(sent), 576); len(raw[0]) != want {
			t.Errorf("error about %d bytes has %d, want %d", len(sent), len(raw[0]), want)
		}
		if quote := raw[0][28:]; string(quote) != string(sent[:len(quote)]) {
			t.Errorf("quoted %x of %x", quote, sent)
		}
	}
}

func TestOwnPacketsHaveIdsOfTheirOwn(t *testing.T) {
	// What may be fragmented must not be mixed up with what was sent before it (RFC 6864 4.1).
	l := newLab(t)
	l.red.send(udp("11.11.11.2:5", "11.11.11.1:99", ""), udp("11.11.11.2:5", "11.11.11.1:98", ""), tcp("11.11.11.2:5", "11.11.11.1:9", seg{flags: "S"}))
	ids := map[uint16]bool{}
	for _, p := range l.br0.raw() {
		ids[frame.IPv4(p).ID()] = true
	}
	if len(ids) != 3 {
		t.Errorf("three packets have the ids %v", ids)
	}
}

func TestG7Martians(t *testing.T) {
	for src, why := range map[string]trace.Reason{
		"0.0.0.0": trace.Martian, "0.1.2.3": trace.Martian, "127.0.0.1": trace.Martian, "224.0.0.1": trace.Martian,
		"240.0.0.1": trace.Martian, "255.255.255.255": trace.Martian, "11.11.11.1": trace.OwnSource,
		"192.0.2.2": trace.OwnSource, "22.22.22.2": trace.SpoofedSource, "8.8.8.8": trace.SpoofedSource,
		"11.11.11.255": trace.Martian,
	} {
		l := newLab(t)
		l.red.send(udp(src+":5", "192.0.2.9:5", "q"))
		l.drops(why, 1)
		l.nothing()
	}
	for _, dst := range []string{"127.0.0.1", "0.0.0.0", "240.0.0.1", "11.11.11.2"} { // the last one is a land attack
		l := newLab(t)
		l.red.send(tcp("11.11.11.2:5", dst+":5", seg{flags: "S"}))
		l.drops(trace.Martian, 1)
		l.nothing()
	}
	l := newLab(t)
	l.wan.send(udp("11.11.11.2:5", "22.22.22.2:5", "from outside, with an inside source"))
	l.drops(trace.SpoofedSource, 1)
	l.nothing()
}

// TestG7WhoHasNoAddressYet: what has no source yet, or none that the gateway could know, is delivered, as Linux does.
func TestG7WhoHasNoAddressYet(t *testing.T) {
	l := newLab(t)
	l.red.send(udp("0.0.0.0:68", "255.255.255.255:67", "DHCPDISCOVER"), udp("0.0.0.0:5", "224.0.0.251:5353", "q"),
		packetOf(2, ip4("0.0.0.0"), ip4("239.1.2.3"), make([]byte, 8)))
	l.drops(trace.NoGroup, 3)
	l.red.send(udp("0.0.0.0:5", "239.1.2.3:5", "not of this link"), udp("0.0.0.0:5", "8.8.8.8:5", "q"))
	l.drops(trace.Martian, 2)

	if err := l.SetAddr(l.br0.leg, netip.Prefix{}, l.now); err != nil {
		t.Fatal(err)
	}
	l.red.send(udp("11.11.11.2:5", "224.0.0.5:1234", "x"), udp("11.11.11.2:5", "255.255.255.255:1234", "x"))
	l.drops(trace.NoGroup, 5)
	l.red.send(udp("11.11.11.2:5", "22.22.22.2:5", "x"))
	l.drops(trace.NoAddress, 1)
	l.drops(trace.SpoofedSource, 0)
	l.nothing()
}

func TestG8DirectedBroadcast(t *testing.T) {
	l := newLab(t)
	l.red.send(udp("11.11.11.2:5", "22.22.22.255:5", "q"), udp("11.11.11.2:5", "255.255.255.255:5", "q"))
	l.drops(trace.Directed, 1)
	l.drops(trace.NoGroup, 1)
	l.nothing()
}

func TestG9NoRedirect(t *testing.T) {
	l := newLab(t)
	l.red.send(echo("11.11.11.2", "11.11.11.3", 7, ""))
	l.want(l.br0, "echo 11.11.11.2 > 11.11.11.3 ttl 63 id 7")
}

func TestG10EchoIsIdentical(t *testing.T) {
	l := newLab(t)
	big := strings.Repeat("0123456789abcdef", 4000)
	l.red.send(withDF(echo("11.11.11.2", "11.11.11.1", 7, "payload")))
	raw := l.br0.raw()
	if len(raw) != 1 || read(t, raw[0]) != "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7 \"payload\"" {
		t.Fatalf("answers: %x", raw)
	}
	if !frame.IPv4(raw[0]).DontFragment() {
		t.Error("the answer does not have the question's DF")
	}
	l.red.send(cut(echo("11.11.11.2", "11.11.11.1", 7, big), 1480)...)
	whole := reassembled(t, l.br0.raw())
	if got := read(t, whole); got != "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7 +64000" {
		t.Error(got)
	}
	if got := string(whole[28:]); got != big {
		t.Error("the payload of 64,000 bytes came back changed")
	}
}

func TestG11Fragmentation(t *testing.T) {
	l := newLab(t)
	small := &way{lab: l}
	small.leg = l.add(nat.InterfaceConfig{Name: "small", Addr: prefix("198.51.100.2/24"), MTU: 600, Uplink: small})
	data := strings.Repeat("0123456789abcdef", 100)

	l.red.send(udp("11.11.11.2:5", "198.51.100.9:5", data))
	l.want(small, "fragment udp 11.11.11.2 > 198.51.100.9 ttl 63 id 4242 0..576+",
		"fragment udp 11.11.11.2 > 198.51.100.9 ttl 63 id 4242 576..1152+",
		"fragment udp 11.11.11.2 > 198.51.100.9 ttl 63 id 4242 1152..1608")

	l.red.send(withDF(udp("11.11.11.2:5", "198.51.100.9:5", data)))
	l.want(small)
	l.want(l.br0, "icmp 3/4 mtu 600 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:5 > 198.51.100.9:5 ttl 64 +520")
	l.drops(trace.FragNeeded, 1)

	// Options with the copied flag stay on every fragment, the others on the first.
	l.red.send(withOptions(udp("11.11.11.2:5", "198.51.100.9:5", data), 7, 3, 4, 0x94, 4, 0, 0, 0))
	for i, p := range small.raw() {
		read(t, p)
		if want := map[bool]int{true: 28, false: 24}[i == 0]; frame.IPv4(p).HeaderLen() != want {
			t.Errorf("fragment %d has a header of %d bytes, want %d", i, frame.IPv4(p).HeaderLen(), want)
		}
	}
}

func TestG13Options(t *testing.T) {
	for name, c := range map[string]struct {
		options []byte
		why     trace.Reason
		pointer int // of the Parameter Problem; 0: none
	}{
		"record route":        {[]byte{7, 7, 4, 0, 0, 0, 0, 0}, trace.NoReason, 0},
		"timestamp":           {[]byte{68, 4, 5, 0}, trace.NoReason, 0},
		"end before nonsense": {[]byte{0, 9, 255, 1}, trace.NoReason, 0},
		"loose source route":  {[]byte{131, 7, 4, 8, 8, 8, 8, 0}, trace.SourceRoute, 0},
		"strict source route": {[]byte{1, 137, 3, 4}, trace.SourceRoute, 0},
		"length 0":            {[]byte{7, 0, 0, 0}, trace.IPOptions, 20},
		"length 1":            {[]byte{1, 1, 7, 1}, trace.IPOptions, 22},
		"length past the end": {[]byte{7, 5, 4, 0}, trace.IPOptions, 20},
		"no length":           {[]byte{1, 1, 1, 7}, trace.IPOptions, 23},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.red.send(withOptions(udp("11.11.11.2:5", "8.8.8.8:5", "q"), c.options...))
			if c.why == trace.NoReason {
				l.want(l.wan, "udp 11.11.11.2:5 > 8.8.8.8:5 ttl 63 \"q\"")
				return
			}
			l.drops(c.why, 1)
			l.want(l.wan)
			raw := l.br0.raw()
			if (len(raw) == 1) != (c.pointer > 0) {
				t.Fatalf("%d answers", len(raw))
			}
			if c.pointer > 0 {
				if m := frame.IPv4(raw[0]).Payload(); m[0] != 12 || m[1] != 0 || int(m[4]) != c.pointer {
					t.Errorf("answer is icmp %d/%d with pointer %d, want 12/0 with %d", m[0], m[1], m[4], c.pointer)
				}
			}
		})
	}
}

func TestG14NoForwarding(t *testing.T) {
	l := newLabWith(t, nat.Config{NoForwarding: true})
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:5", "q"), udp("11.11.11.2:5", "22.22.22.2:5", "q"))
	l.drops(trace.NoForwarding, 2)
	l.nothing()
	l.red.send(echo("11.11.11.2", "22.22.22.1", 7, ""))
	l.want(l.br0, "echo-reply 22.22.22.1 > 11.11.11.2 ttl 64 id 7")
	l.SetForwarding(true)
	l.red.send(udp("11.11.11.2:5", "22.22.22.2:5", "q"))
	l.want(l.br1, "udp 11.11.11.2:5 > 22.22.22.2:5 ttl 63 \"q\"")
}

func TestG14Isolation(t *testing.T) {
	l := newLab(t, "-A FORWARD -i br0 -o br1 -j DROP")
	l.red.send(udp("11.11.11.2:5", "22.22.22.2:5", "q"))
	l.drops(trace.RuleDrop, 1)
	l.nothing()
}

func TestF26ChecksumsOfOthersPass(t *testing.T) {
	l := newLab(t, masquerade)
	bad := udp("11.11.11.2:5", "8.8.8.8:5", "q")
	bad[27] ^= 1 // a wrong checksum stays exactly as wrong
	l.red.send(bad)
	out := l.wan.raw()
	if len(out) != 1 || badChecksum(out[0]) != "transport" {
		t.Error("a wrong UDP checksum did not pass as it was")
	}
	none := udp("11.11.11.2:5", "8.8.8.8:5", "q")
	binary.BigEndian.PutUint16(none[26:], 0)
	l.red.send(none)
	if out := l.wan.raw(); len(out) != 1 || binary.BigEndian.Uint16(out[0][26:]) != 0 {
		t.Error("a packet without a UDP checksum was given one")
	}
}

func TestF33OtherProtocols(t *testing.T) {
	l := newLab(t, masquerade)
	for _, proto := range []uint8{0, 2, 47, 50, 132, 253, 255} {
		l.red.send(packetOf(proto, ip4("11.11.11.2"), ip4("8.8.8.8"), []byte("some bytes")))
		if got := l.wan.packets(); len(got) != 1 {
			t.Errorf("protocol %d: %q came out", proto, got)
		}
	}
	// Two hosts may speak to different servers at once, and the answers find home.
	l.pink.send(packetOf(47, ip4("11.11.11.3"), ip4("9.9.9.9"), []byte("some bytes")))
	l.want(l.wan, "proto 47 192.0.2.2 > 9.9.9.9 ttl 63")
	l.wan.send(packetOf(47, ip4("9.9.9.9"), ip4("192.0.2.2"), nil), packetOf(47, ip4("8.8.8.8"), ip4("192.0.2.2"), nil))
	l.want(l.br0, "proto 47 9.9.9.9 > 11.11.11.3 ttl 63", "proto 47 8.8.8.8 > 11.11.11.2 ttl 63")
}

func TestF38PortZero(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(tcp("11.11.11.2:0", "8.8.8.8:80", seg{flags: "S"}), tcp("11.11.11.2:5", "8.8.8.8:0", seg{flags: "S"}))
	l.drops(trace.BadL4, 2)
	l.nothing()
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
}
