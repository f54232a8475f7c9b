package arp_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
)

// TestInput walks rows A1 to A6 and A10, and faults F17 to F19: one packet each, into a table that knows BLUE.
func TestInput(t *testing.T) {
	const request, reply = frame.ARPRequest, frame.ARPReply
	me, other, zero := self.Addr.Addr(), netip.MustParseAddr("11.11.11.77"), netip.IPv4Unspecified()
	ip := netip.MustParseAddr
	with := func(at int, v byte) []byte {
		b := packet(request, redM, red, me)
		b[at] = v
		return b
	}
	from := func(m frame.MAC, b []byte) []byte { copy(b[8:14], m[:]); return b }
	const unchanged, noted = "11.11.11.3 02:42:0b:0b:0b:03 STALE", "11.11.11.2 02:42:0b:0b:0b:02 STALE, 11.11.11.3 02:42:0b:0b:0b:03 STALE"
	tests := []struct {
		name  string
		b     []byte
		src   frame.MAC
		want  string
		table string
	}{
		{"A1 a question for me: noted", packet(request, redM, red, me), redM, "asked learned", noted},
		{"A1 a question for another: not noted", packet(request, redM, red, other), redM, "not mine", unchanged},
		{"A1 a question for another by a known neighbour that has changed", packet(request, redM, blue, other), redM, "not mine learned", "11.11.11.3 02:42:0b:0b:0b:02 STALE"},
		{"A1 hardware type", with(1, 6), redM, "bad", unchanged},
		{"A1 protocol type", with(2, 0x86), redM, "bad", unchanged},
		{"A1 hardware length", with(4, 8), redM, "bad", unchanged},
		{"A1 protocol length", with(5, 16), redM, "bad", unchanged},
		{"F19 operation 0", with(7, 0), redM, "bad", unchanged},
		{"F19 operation 3", with(7, 3), redM, "bad", unchanged},
		{"F19 operation 255", with(7, 255), redM, "bad", unchanged},
		{"A3 a question for the network's other hosts", packet(request, blueM, blue, red), blueM, "not mine", unchanged},
		{"A4 a group's hardware address", from(frame.MAC{1, 0, 0x5e, 0, 0, 1}, packet(request, redM, red, me)), frame.MAC{1, 0, 0x5e, 0, 0, 1}, "disguised", unchanged},
		{"A4 everyone's hardware address", from(frame.Broadcast, packet(request, redM, red, me)), frame.Broadcast, "disguised", unchanged},
		{"A4 no hardware address", from(frame.MAC{}, packet(request, redM, red, me)), frame.MAC{}, "disguised", unchanged},
		{"A4 a reply from 0.0.0.0", packet(reply, redM, zero, me), redM, "disguised", unchanged},
		{"A4 loopback", packet(request, redM, ip("127.0.0.1"), me), redM, "disguised", unchanged},
		{"A4 multicast", packet(request, redM, ip("224.0.0.1"), me), redM, "disguised", unchanged},
		{"A4 limited broadcast", packet(request, redM, ip("255.255.255.255"), me), redM, "disguised", unchanged},
		{"A4 subnet broadcast", packet(request, redM, ip("11.11.11.255"), me), redM, "disguised", unchanged},
		{"A4 the network itself", packet(request, redM, ip("11.11.11.0"), me), redM, "disguised", unchanged},
		{"A4 another network", packet(request, redM, ip("11.11.12.2"), me), redM, "foreign", unchanged},
		{"A4 another network's stations among themselves", packet(request, redM, ip("10.2.1.1"), ip("10.2.1.2")), redM, "not mine", unchanged},
		{"A4 another network's announcement", packet(request, redM, ip("10.2.1.1"), ip("10.2.1.1")), redM, "unsolicited", unchanged},
		{"A4 another network's answer", packet(reply, redM, ip("10.2.1.1"), me), redM, "unsolicited", unchanged},
		{"A5 a sender in disguise", packet(request, redM, red, me), blueM, "disguised", unchanged},
		{"A6 a probe for my address", packet(request, redM, zero, me), redM, "probed", unchanged},
		{"A6 a probe by a known neighbour", packet(request, blueM, zero, me), blueM, "probed", unchanged},
		{"A6 a probe for another's address", packet(request, redM, zero, other), redM, "not mine", unchanged},
		{"A6 a probe for a known neighbour's address", packet(request, redM, zero, blue), redM, "not mine", unchanged},
		{"A7 somebody asks in my name", packet(request, redM, me, red), redM, "conflict defend", unchanged},
		{"A7 somebody answers in my name", packet(reply, redM, me, red), redM, "conflict defend", unchanged},
		{"A7 somebody announces my address", packet(request, redM, me, me), redM, "conflict defend", unchanged},
		{"my own packet, come back by a loop", packet(request, self.MAC, me, red), self.MAC, "echoed", unchanged},
		{"F17 an announcement by a stranger", packet(request, redM, red, red), redM, "unsolicited", unchanged},
		{"F17 an announcement by a neighbour that has moved", packet(request, redM, blue, blue), redM, "told learned", "11.11.11.3 02:42:0b:0b:0b:02 STALE"},
		{"F18 an answer that nobody asked for", packet(reply, redM, red, me), redM, "unsolicited", unchanged},
		{"F18 the same from a neighbour", packet(reply, blueM, blue, me), blueM, "told", unchanged},
		{"A10 padded to 46 bytes", append(packet(request, redM, red, me), make([]byte, 18)...), redM, "asked learned", noted},
		{"A10 padded with noise", append(packet(request, redM, red, me), bytes.Repeat([]byte{0xff}, 1472)...), redM, "asked learned", noted},
		{"A10 27 bytes", packet(request, redM, red, me)[:27], redM, "bad", unchanged},
		{"A10 nothing", nil, redM, "bad", unchanged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newTable()
			c.hears(request, blueM, blue, me)
			before := bytes.Clone(test.b)
			if got := say(c.Input(test.b, test.src, self, c.now)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := c.list(); got != test.table {
				t.Errorf("table %q, want %q", got, test.table)
			}
			if !bytes.Equal(test.b, before) {
				t.Error("the packet was changed")
			}
		})
	}
}

// TestSmallNetworks: on a /31 both addresses are stations' (RFC 3021).
func TestSmallNetworks(t *testing.T) {
	here := arp.Self{MAC: self.MAC, Addr: netip.MustParsePrefix("11.11.11.2/31")}
	c := newTable()
	out := c.Input(packet(frame.ARPRequest, blueM, blue, red), blueM, here, c.now)
	if out.Case != arp.Asked || !out.Learned {
		t.Errorf("the other end of a /31: %q", say(out))
	}
}

// TestDefence is row A7: each claim is a conflict, and the answer to it goes out at most once in ten seconds.
func TestDefence(t *testing.T) {
	c := newTable()
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "conflict defend"},
		{0, "conflict"},
		{5 * time.Second, "conflict"},
		{5*time.Second - 1, "conflict"},
		{1, "conflict defend"},
		{9 * time.Second, "conflict"},
		{time.Hour, "conflict defend"},
	} {
		c.now = c.now.Add(step.after)
		if got := c.hears(frame.ARPRequest, redM, self.Addr.Addr(), self.Addr.Addr()); got != step.want {
			t.Errorf("%v after the start: %q, want %q", c.now.Sub(start), got, step.want)
		}
	}
	if got := c.list(); got != "" {
		t.Errorf("table %q", got)
	}
}

// FuzzInput: whatever comes in, nothing panics, and only addresses that a station here can have enter the table. Nobody
// becomes Reachable without a question.
func FuzzInput(f *testing.F) {
	f.Add(packet(frame.ARPRequest, redM, red, self.Addr.Addr()), redM[:], uint8(24))
	f.Add(packet(frame.ARPReply, redM, red, self.Addr.Addr()), redM[:], uint8(24))
	f.Add(packet(frame.ARPRequest, redM, netip.IPv4Unspecified(), self.Addr.Addr()), redM[:], uint8(8))
	f.Add(packet(frame.ARPRequest, redM, self.Addr.Addr(), self.Addr.Addr()), redM[:], uint8(0))
	f.Add(packet(frame.ARPRequest, redM, netip.MustParseAddr("11.11.11.255"), self.Addr.Addr()), redM[:], uint8(31))
	f.Fuzz(func(t *testing.T, b, src []byte, bits uint8) {
		if len(src) < 6 {
			return
		}
		here := arp.Self{MAC: self.MAC, Addr: netip.PrefixFrom(self.Addr.Addr(), int(bits%33))}
		c := newTable()
		c.sends(blue, "waits")
		before := bytes.Clone(b)
		out := c.Input(b, frame.MAC(src), here, c.now)
		if cases[out.Case] == "" || out.Defend && out.Case != arp.Conflict || !bytes.Equal(b, before) {
			t.Fatalf("outcome %+v", out)
		}
		rows := c.List(c.now)
		if (out.Case <= arp.Echoed || out.Case == arp.Probed || out.Case == arp.Conflict) && (len(rows) != 1 || rows[0].State != arp.Incomplete) {
			t.Fatalf("%s changed the table: %s", say(out), c.list())
		}
		for _, n := range rows {
			if n.State == arp.Incomplete {
				continue
			}
			last, first := frame.BroadcastOf(here.Addr), here.Addr.Masked().Addr()
			if !n.MAC.IsStation() || n.MAC != frame.MAC(src) || n.Addr == here.Addr.Addr() ||
				!here.Addr.Contains(n.Addr) && n.Addr != blue || // who is asked already may answer from anywhere
				n.Addr.IsLoopback() || n.Addr.IsMulticast() || n.Addr.IsUnspecified() || n.Addr == last || n.Addr == first && bits%33 < 31 {
				t.Fatalf("%s entered the table on %v", c.list(), here.Addr)
			}
			if n.State == arp.Reachable && n.Addr != blue {
				t.Fatalf("%v is reachable without a question", n.Addr)
			}
		}
	})
}
