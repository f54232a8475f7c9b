package vswitch_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// TestPath walks the layer-2 rows of the requirements: frames go in one after the other, and each has one outcome.
func TestPath(t *testing.T) {
	type step struct {
		from     string
		dst, src frame.MAC
		want     string
	}
	red, blue, nobody := host(1), host(2), host(99)
	tests := []struct {
		name  string
		steps []step
		table string
	}{
		{"S1 learns from a valid unicast source only", []step{
			{"RED", frame.Broadcast, group, "!group-source"},
			{"RED", frame.Broadcast, frame.Broadcast, "!group-source"},
			{"RED", frame.Broadcast, frame.MAC{}, "!group-source"},
			{"RED", blue, frame.MAC{1, 0, 0, 0, 0, 1}, "!group-source"},
			{"RED", frame.Broadcast, red, "BLUE GREEN gateway"},
		}, "1>RED"},
		{"S3 floods unknown unicast, broadcast and groups once, never back", []step{
			{"RED", nobody, red, "BLUE GREEN"},
			{"RED", frame.Broadcast, red, "BLUE GREEN gateway"},
			{"RED", group, red, "BLUE GREEN gateway"},
			{"GREEN", nobody, host(3), "RED BLUE"},
			{"gateway", nobody, gateway, "RED BLUE GREEN"},
			{"gateway", frame.Broadcast, gateway, "RED BLUE GREEN"},
			{"gateway", group, gateway, "RED BLUE GREEN"},
		}, "1>RED 3>GREEN"},
		{"S4 known unicast goes to its port only", []step{
			{"RED", frame.Broadcast, red, "BLUE GREEN gateway"},
			{"BLUE", red, blue, "RED"},
			{"RED", blue, red, "BLUE"},
			{"gateway", blue, gateway, "BLUE"},
		}, "1>RED 2>BLUE"},
		{"S4 filters what is behind the port it came from", []step{
			{"RED", frame.Broadcast, red, "BLUE GREEN gateway"},
			{"RED", red, host(11), "!same-port"},
			{"gateway", gateway, gateway, "!same-port"},
		}, "1>RED 11>RED"},
		{"F06 a frame to its own sender is not reflected", []step{
			{"RED", red, red, "!same-port"},
		}, "1>RED"},
		{"F05 the gateway's address is nobody else's", []step{
			{"RED", frame.Broadcast, gateway, "!mac-spoof"},
			{"BLUE", gateway, blue, "gateway"},
		}, "2>BLUE"},
		{"S6 a station moves at once", []step{
			{"RED", frame.Broadcast, red, "BLUE GREEN gateway"},
			{"GREEN", nearest, red, "!reserved-group"},
			{"BLUE", red, blue, "GREEN"},
			{"RED", nearest, red, "!reserved-group"},
			{"BLUE", red, blue, "RED"},
		}, "1>RED 2>BLUE"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
			for i, s := range test.steps {
				l.send(s.from, s.dst, s.src)
				if got := l.outcome(); got != s.want {
					t.Fatalf("step %d, %s: %v > %v: %q, want %q", i+1, s.from, s.src, s.dst, got, s.want)
				}
			}
			if got := l.table(); got != test.table {
				t.Errorf("table %q, want %q", got, test.table)
			}
		})
	}
}

// TestReserved is row S5: of the sixteen addresses pass the first, as in Linux without spanning tree, and those that the mask
// names; the sender is learned of all of them, and the addresses beside them pass.
func TestReserved(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for last := range 16 {
		l.send("RED", frame.MAC{1, 0x80, 0xc2, 0, 0, byte(last)}, host(last+1))
		l.expect(map[bool]string{true: "BLUE gateway", false: "!reserved-group"}[last == 0])
	}
	if n := len(l.Entries(l.now)); n != 17 {
		t.Errorf("%d entries, want 16 senders and the gateway", n)
	}
	for _, beside := range []frame.MAC{{1, 0x80, 0xc2, 0, 0, 0x10}, {1, 0x80, 0xc2, 0, 1, 0}, {1, 0x80, 0xc1, 0, 0, 0}} {
		l.send("RED", beside, host(1))
		l.expect("BLUE gateway")
	}
	for _, bit := range []int{0, 1, 2} {
		if err := l.SetGroupForward(0x4000 | 1<<bit); err == nil {
			t.Errorf("bit %d can be set", bit)
		}
	}
	if err := l.SetGroupForward(0x4000); err != nil || l.GroupForward() != 0x4000 {
		t.Fatalf("%#x, %v", l.GroupForward(), err)
	}
	l.send("RED", nearest, host(1))
	l.expect("BLUE gateway")
	l.send("RED", frame.MAC{1, 0x80, 0xc2, 0, 0, 0x0d}, host(1))
	l.expect("!reserved-group")
}

// TestFrameUntouched is row S10: every length passes bit for bit, flooded and forwarded, and the sender's buffer is intact.
func TestFrameUntouched(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	l.send("BLUE", nearest, host(2))
	for length := 14; length <= 1522; length++ {
		for _, dst := range []frame.MAC{frame.Broadcast, host(2), host(99)} {
			sent := frameOf(dst, host(1), length)
			before := bytes.Clone(sent.Data)
			l.input("RED", sent)
			got := l.links["BLUE"].take()
			if len(got) != 1 || !bytes.Equal(got[0].Data, before) || !bytes.Equal(sent.Data, before) {
				t.Fatalf("%d bytes to %v: not the same frame once", length, dst)
			}
		}
	}
}

// TestRunt is fault F01: a frame needs its 14 bytes and no more.
func TestRunt(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for length := range frame.EthernetHeader {
		l.input("RED", frame.Frame{Data: make([]byte, length)})
		l.expect("!pkt-too-small")
	}
	l.input("RED", frameOf(frame.Broadcast, host(1), 14))
	l.expect("BLUE gateway")
}

// TestOpaque is fault F08 to F10: what is behind the addresses is nobody's business here.
func TestOpaque(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for _, etherType := range []uint16{0, 4, 46, 0x05ff, 0x8100, 0x88a8, 0x8847, 0x9100, 0xffff} {
		for _, length := range []int{14, 15, 16, 17, 18, 60} {
			f := frameOf(frame.Broadcast, host(1), length)
			frame.Ethernet(f.Data).SetHeader(frame.Broadcast, host(1), etherType)
			l.input("RED", f)
			if got := l.outcome(); got != "BLUE gateway" {
				t.Errorf("type %#04x, %d bytes: %q", etherType, length, got)
			}
		}
	}
}

// TestOffload is fault F03: what a sender left undone travels along unchanged, and nonsense travels nowhere.
func TestOffload(t *testing.T) {
	super := frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: frame.GSOTCPv4, GSOSize: 1448, HeaderLen: 66}
	with := func(change func(*frame.Offload)) frame.Offload { o := super; change(&o); return o }
	tests := []struct {
		name    string
		offload frame.Offload
		want    string
	}{
		{"none", frame.Offload{}, "BLUE gateway"},
		{"vouched for", frame.Offload{ChecksumValid: true}, "BLUE gateway"},
		{"checksum to do", frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}, "BLUE gateway"},
		{"TCP super-frame", super, "BLUE gateway"},
		{"TCP super-frame with ECN", with(func(o *frame.Offload) { o.ECN = true }), "BLUE gateway"},
		{"checksum outside", frame.Offload{NeedsChecksum: true, ChecksumStart: 60000, ChecksumOffset: 16}, "!bad-offload"},
		{"checksum overflows", frame.Offload{NeedsChecksum: true, ChecksumStart: 65535, ChecksumOffset: 65535}, "!bad-offload"},
		{"no segment size", with(func(o *frame.Offload) { o.GSOSize = 0 }), "!bad-offload"},
		{"header outside", with(func(o *frame.Offload) { o.HeaderLen = 65535 }), "!bad-offload"},
		{"no header", with(func(o *frame.Offload) { o.HeaderLen = 0 }), "!bad-offload"},
		{"unknown kind", with(func(o *frame.Offload) { o.GSO = 3 }), "!bad-offload"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{}, "RED", "BLUE")
			f := frameOf(frame.Broadcast, host(1), 40000)
			f.Offload = test.offload
			l.input("RED", f)
			for _, got := range l.links["BLUE"].got {
				if got.Offload != test.offload {
					t.Errorf("offload became %+v", got.Offload)
				}
			}
			l.expect(test.want)
			if test.want == "!bad-offload" && l.table() != "" {
				t.Errorf("learned from a bad frame: %s", l.table())
			}
		})
	}
}

// TestOrder is row S9: frames of one port arrive in the order in which they came, each once.
func TestOrder(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for i := range 1000 {
		dst := frame.Broadcast
		if i%3 == 0 {
			dst = host(2)
		}
		f := frameOf(dst, host(1), 60)
		f.Data[14], f.Data[15] = byte(i>>8), byte(i)
		l.input("RED", f)
	}
	got := l.links["BLUE"].take()
	for i, f := range got {
		if n := int(f.Data[14])<<8 | int(f.Data[15]); n != i {
			t.Fatalf("frame %d arrives in place %d", n, i)
		}
	}
	if len(got) != 1000 {
		t.Errorf("%d frames arrived of 1000", len(got))
	}
}

// TestLoop is row S14: a cable between two ports of one switch circulates a broadcast only as often as the limit allows.
func TestLoop(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "LOOP1", "LOOP2")
	l.set("LOOP1", func(k *vswitch.PortFlags) { k.StormLimit = 50 })
	l.set("LOOP2", func(k *vswitch.PortFlags) { k.StormLimit = 50 })
	l.send("RED", frame.Broadcast, host(1))
	rounds := 0
	for moved := true; moved; rounds++ {
		moved = false
		for out, in := range map[string]string{"LOOP1": "LOOP2", "LOOP2": "LOOP1"} {
			for _, f := range l.links[out].take() {
				l.input(in, f)
				moved = true
			}
		}
	}
	if got := l.outcome(); got != "REDx100 gatewayx101 !stormx2" {
		t.Errorf("after %d rounds: %q, want 50 copies from each end of the cable, then an end", rounds, got)
	}
}

// TestNetworksApart is row S16: two switches share a tracer and nothing else.
func TestNetworksApart(t *testing.T) {
	a, b := newLab(t, vswitch.Config{}, "RED"), newLab(t, vswitch.Config{}, "BLUE")
	a.plug("GREEN", vswitch.DefaultFlags())
	for _, dst := range []frame.MAC{frame.Broadcast, group, host(2), host(99)} {
		a.send("RED", dst, host(1))
	}
	a.expect("GREENx4 gatewayx2")
	b.expect("")
	if b.table() != "" {
		t.Errorf("the other network learned %s", b.table())
	}
}

// TestManyPorts: the Linux bridge ends at 1023 ports.
func TestManyPorts(t *testing.T) {
	const n = 2000
	l := newLab(t, vswitch.Config{})
	for i := range n {
		l.plug(fmt.Sprintf("h%d", i), vswitch.DefaultFlags())
	}
	for i := range n {
		l.send(fmt.Sprintf("h%d", i), nearest, host(i+1))
	}
	l.expect("!reserved-groupx2000")
	l.send("h7", frame.Broadcast, host(8))
	for i := range n {
		want := 1
		if i == 7 {
			want = 0
		}
		if got := len(l.links[fmt.Sprintf("h%d", i)].take()); got != want {
			t.Fatalf("h%d got %d copies of a broadcast, want %d", i, got, want)
		}
	}
	l.expect("gateway")
	for i := range n {
		want := fmt.Sprintf("h%d", i)
		if i == 0 {
			want = "!same-port"
		}
		l.send("h0", host(i+1), host(1))
		l.expect(want)
	}
}

// TestAgeing is row S2: an address is believed for the ageing time after it was last heard, and no longer.
func TestAgeing(t *testing.T) {
	for _, test := range []struct {
		name   string
		ageing time.Duration
		quiet  time.Duration
		want   string
	}{
		{"default, almost", 0, 300*time.Second - 1, "RED"},
		{"default, over", 0, 300 * time.Second, "RED GREEN"},
		{"ten seconds, almost", 10 * time.Second, 10*time.Second - 1, "RED"},
		{"ten seconds, over", 10 * time.Second, 10 * time.Second, "RED GREEN"},
		{"a hub", -1, 0, "RED GREEN"},
		{"a clock that went back", 0, -time.Hour, "RED"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{Ageing: test.ageing}, "RED", "BLUE", "GREEN")
			l.send("RED", nearest, host(1))
			l.pass(test.ageing / 2)
			l.send("RED", nearest, host(1)) // traffic refreshes
			l.outcome()
			l.pass(test.quiet)
			l.send("BLUE", host(1), host(2))
			l.expect(test.want)
		})
	}
}
