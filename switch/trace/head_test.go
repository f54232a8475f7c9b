package trace_test

import (
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// dns is a message about one name: flags are the third and fourth byte.
func dns(flags [2]byte, answers byte, qtype byte, labels ...string) []byte {
	b := []byte{0, 1, flags[0], flags[1], 0, 1, 0, answers, 0, 0, 0, 0}
	for _, l := range labels {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0, 0, qtype, 0, 1)
}

func TestHead(t *testing.T) {
	ip := func(payload []byte) []byte { return ethernet(redMAC, gwMAC, frame.TypeIPv4, payload) }
	udp53 := func(payload []byte) []byte {
		return ip(ipv4(frame.ProtoUDP, 64, red, google, udp(40000, 53, payload)))
	}
	fragment := func(more bool, offset int) []byte {
		p := frame.IPv4(echo(frame.ICMPEcho, 64, red, google, 7, 1))
		p.SetFragment(false, more, offset)
		return ip(p)
	}
	unreachable := func(code uint8, mtu uint16, quoted []byte) []byte {
		return ip(ipv4(frame.ProtoICMP, 64, gw, red, icmp(frame.ICMPUnreachable, code, 0, mtu, quoted)))
	}
	quotedUDP := ipv4(frame.ProtoUDP, 64, red, google, udp(40000, 33434, nil))
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "? > ? | ? | too short to read"},
		{"ARP question", arp(redMAC, frame.Broadcast, 1, redMAC, red, zero, blue), "RED > everyone | ARP | who has 11.11.11.3? tell 11.11.11.2"},
		{"ARP question to one", arp(redMAC, blueMAC, 1, redMAC, red, blueMAC, blue), "RED > BLUE | ARP | who has 11.11.11.3? tell 11.11.11.2"},
		{"ARP answer", arp(blueMAC, redMAC, 2, blueMAC, blue, redMAC, red), "BLUE > RED | ARP | 11.11.11.3 is at 02:42:0b:0b:0b:03"},
		{"ARP probe", arp(redMAC, frame.Broadcast, 1, redMAC, netip.IPv4Unspecified(), zero, blue), "RED > everyone | ARP | who has 11.11.11.3? (a probe: may I have it?)"},
		{"ARP announcement", arp(redMAC, frame.Broadcast, 1, redMAC, red, zero, red), "RED > everyone | ARP | 11.11.11.2 is at 02:42:0b:0b:0b:02 (announced)"},
		{"ARP of a stranger", arp(frame.MAC{2, 9}, frame.Broadcast, 1, frame.MAC{2, 9}, netip.MustParseAddr("11.11.11.9"), zero, red), "11.11.11.9 > everyone | ARP | who has 11.11.11.2? tell 11.11.11.9"},
		{"ARP nonsense", arp(redMAC, blueMAC, 9, redMAC, red, blueMAC, blue), "RED > BLUE | ARP | operation 9, which nobody uses"},
		{"ARP cut short", ethernet(redMAC, frame.Broadcast, frame.TypeARP, make([]byte, 20)), "RED > everyone | ARP | too short to read"},
		{"echo request", ip(echo(8, 64, red, google, 7, 1)), "RED > 8.8.8.8 | ICMP | echo request, id 7 seq 1, ttl 64"},
		{"echo reply", ip(echo(0, 62, google, red, 7, 1)), "8.8.8.8 > RED | ICMP | echo reply, id 7 seq 1, ttl 62"},
		{"port unreachable", unreachable(3, 0, quotedUDP), "gateway > RED | ICMP | port unreachable, about UDP 11.11.11.2:40000 > 8.8.8.8:33434"},
		{"too big", unreachable(4, 1400, quotedUDP), "gateway > RED | ICMP | too big: at most 1400 bytes fit, about UDP 11.11.11.2:40000 > 8.8.8.8:33434"},
		{"forbidden, about a ping", unreachable(13, 0, echo(8, 1, red, google, 7, 1)), "gateway > RED | ICMP | forbidden by a filter, about ICMP 11.11.11.2 id 7 > 8.8.8.8"},
		{"host unreachable, quoting nothing", unreachable(1, 0, nil), "gateway > RED | ICMP | host unreachable"},
		{"time exceeded", ip(ipv4(1, 64, gw, red, icmp(11, 0, 0, 0, quotedUDP))), "gateway > RED | ICMP | time to live exceeded, about UDP 11.11.11.2:40000 > 8.8.8.8:33434"},
		{"SYN", ip(ipv4(6, 64, red, google, tcp(40000, 80, 5, 0, frame.SYN, nil))), "RED > 8.8.8.8 | TCP | 40000 > 80 [S] seq 5 len 0"},
		{"SYN ACK", ip(ipv4(6, 64, google, red, tcp(80, 40000, 9, 6, frame.SYN|frame.ACK, nil))), "8.8.8.8 > RED | TCP | 80 > 40000 [S.] seq 9 ack 6 len 0"},
		{"data", ip(ipv4(6, 64, red, google, tcp(40000, 80, 6, 10, frame.PSH|frame.ACK, make([]byte, 77)))), "RED > 8.8.8.8 | TCP | 40000 > 80 [P.] seq 6:83 ack 10 len 77"},
		{"reset", ip(ipv4(6, 64, google, red, tcp(80, 40000, 0, 6, frame.RST|frame.ACK, nil))), "8.8.8.8 > RED | TCP | 80 > 40000 [R.] seq 0 ack 6 len 0"},
		{"no flags", ip(ipv4(6, 64, red, google, tcp(1, 2, 0, 0, 0, nil))), "RED > 8.8.8.8 | TCP | 1 > 2 [none] len 0"},
		{"TCP cut after its ports", ip(ipv4(6, 64, red, google, []byte{0, 1, 0, 2})), "RED > 8.8.8.8 | TCP | 1 > 2, cut short"},
		{"UDP", ip(ipv4(17, 64, red, blue, udp(1000, 2000, make([]byte, 5)))), "RED > BLUE | UDP | 1000 > 2000, len 5"},
		{"DHCP", ethernet(redMAC, frame.Broadcast, frame.TypeIPv4, ipv4(17, 64, netip.IPv4Unspecified(), netip.MustParseAddr("255.255.255.255"), udp(68, 67, nil))), "RED > everyone | UDP | 68 > 67, len 0"},
		{"DNS question", udp53(dns([2]byte{1, 0}, 0, 1, "www", "example", "com")), "RED > 8.8.8.8 | UDP | 40000 > 53, asks for the address of www.example.com"},
		{"DNS answer", udp53(dns([2]byte{0x81, 0x80}, 2, 28, "example", "com")), "RED > 8.8.8.8 | UDP | 40000 > 53, tells the IPv6 address of example.com: 2 records"},
		{"DNS, no such name", udp53(dns([2]byte{0x81, 0x83}, 0, 1, "nowhere")), "RED > 8.8.8.8 | UDP | 40000 > 53, no such name: nowhere"},
		{"DNS with an escape sequence", udp53(dns([2]byte{1, 0}, 0, 1, "\x1b[2J")), `RED > 8.8.8.8 | UDP | 40000 > 53, asks for the address of \x1b[2J`},
		{"not DNS on port 53", udp53([]byte("hello")), "RED > 8.8.8.8 | UDP | 40000 > 53, len 5"},
		{"first fragment", fragment(true, 0), "RED > 8.8.8.8 | ICMP | echo request, id 7 seq 1, ttl 64, first fragment of packet 1"},
		{"middle fragment", fragment(true, 1480), "RED > 8.8.8.8 | ICMP | a fragment of packet 1: bytes 1,480 to 1,543"},
		{"last fragment", fragment(false, 1480), "RED > 8.8.8.8 | ICMP | last fragment of packet 1: bytes 1,480 to 1,543"},
		{"another protocol", ip(ipv4(47, 64, red, google, make([]byte, 30))), "RED > 8.8.8.8 | GRE | 30 bytes"},
		{"an unknown protocol", ip(ipv4(253, 64, red, google, nil)), "RED > 8.8.8.8 | IP protocol 253 | 0 bytes"},
		{"damaged IPv4", ip([]byte{0x41, 0, 0, 0}), "RED > gateway | IPv4 | a damaged header"},
		{"IPv6", ethernet(redMAC, frame.Broadcast, frame.TypeIPv6, append([]byte{0x60, 0, 0, 0, 0, 0, 59, 1}, append(netip.MustParseAddr("fe80::1").AsSlice(), netip.MustParseAddr("ff02::2").AsSlice()...)...)), "RED > everyone | IP protocol 59 | 0 bytes"},
		{"VLAN", ethernet(redMAC, blueMAC, frame.TypeVLAN, append([]byte{0x20, 10, 8, 0}, echo(8, 64, red, blue, 7, 1)...)), "RED > BLUE | VLAN | tag 10: ICMP echo request, id 7 seq 1, ttl 64"},
		{"two VLAN tags", ethernet(redMAC, blueMAC, frame.TypeVLAN, []byte{0, 10, 0x81, 0, 0, 11, 8, 0}), "RED > BLUE | VLAN | tag 10, and another inside"},
		{"LLDP", ethernet(redMAC, frame.MAC{1, 0x80, 0xc2, 0, 0, 0xe}, 0x88cc, nil), "RED > 01:80:c2:00:00:0e | Eth | type 0x88cc (LLDP)"},
		{"an unknown type", ethernet(redMAC, blueMAC, 0x1234, nil), "RED > BLUE | Eth | type 0x1234"},
		{"802.3", ethernet(redMAC, frame.MAC{1, 0x80, 0xc2}, 38, nil), "RED > 01:80:c2:00:00:00 | LLC | an 802.3 frame of 38 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := trace.Event{Frame: frame.Frame{Data: tt.data}}
			h := e.Head(trace.English, labNames{})
			if got := h.From + " > " + h.To + " | " + h.Proto + " | " + h.What; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// bridged are names that mean nothing to RED.
type bridged struct{ labNames }

func (bridged) Unknown(_ trace.Language, asker netip.Addr, name string) (string, bool) {
	return "nobody has a name there", asker == red && name == "BLUE"
}

// TestHeadSaysWhyANameIsUnknown: the question says what its answer will not.
func TestHeadSaysWhyANameIsUnknown(t *testing.T) {
	question := func(from netip.Addr, name string) string {
		e := trace.Event{IP: true, Frame: frame.Frame{Data: ipv4(17, 64, from, google, udp(40000, 53, dns([2]byte{1, 0}, 0, 1, name)))}}
		return e.Head(trace.English, bridged{}).What
	}
	for _, c := range []struct{ got, want string }{
		{question(red, "BLUE"), "40000 > 53, asks for the address of BLUE (nobody has a name there)"},
		{question(blue, "BLUE"), "40000 > 53, asks for the address of BLUE"},
		{question(red, "example"), "40000 > 53, asks for the address of example"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

// TestHeadOfASnap reads the same from the first 60 bytes as from the whole frame.
func TestHeadOfASnap(t *testing.T) {
	data := ethernet(redMAC, gwMAC, frame.TypeIPv4, ipv4(6, 64, red, google, tcp(40000, 80, 6, 10, frame.ACK, make([]byte, 1460))))
	whole := trace.Event{Frame: frame.Frame{Data: data}, Length: len(data)}
	cut := trace.Event{Frame: frame.Frame{Data: data[:60]}, Length: len(data)}
	if a, b := whole.Head(trace.English, nil), cut.Head(trace.English, nil); a != b {
		t.Errorf("whole %+v\ncut   %+v", a, b)
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add(ethernet(redMAC, gwMAC, frame.TypeIPv4, echo(8, 64, red, google, 7, 1)), false)
	f.Add(ethernet(redMAC, gwMAC, frame.TypeIPv4, ipv4(17, 64, red, google, udp(40000, 53, dns([2]byte{1, 0}, 0, 1, "a", "b")))), false)
	f.Add(ipv4(1, 64, gw, red, icmp(3, 3, 0, 0, ipv4(17, 64, red, google, udp(1, 2, nil)))), true)
	f.Add(ethernet(redMAC, blueMAC, frame.TypeVLAN, append([]byte{0, 10, 8, 6}, make([]byte, 28)...)), false)
	f.Add(arp(redMAC, frame.Broadcast, 1, redMAC, red, zero, blue), false)
	f.Fuzz(func(t *testing.T, data []byte, bare bool) {
		e := about(trace.Ingress, trace.Accept, trace.NoNote)
		e.Frame.Data, e.IP = data, bare
		for _, names := range []trace.Names{nil, labNames{}} {
			h := e.Head(trace.English, names)
			text := h.From + h.To + h.Proto + h.What
			if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
				t.Errorf("%q", text)
			}
			if h.From == "" || h.To == "" || h.Proto == "" || h.What == "" {
				t.Errorf("something is empty: %+v", h)
			}
		}
		check(t, &e)
		for line := range strings.Lines(print(trace.TextOptions{Width: 80}, e)) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q", line)
			}
		}
	})
}
