package vswitch_test

import (
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// TestFloodFlags: flood, mcast_flood and bcast_flood each hold back their own class and nothing else.
func TestFloodFlags(t *testing.T) {
	const unicast, multi, broad = 0, 1, 2
	dst := [3]frame.MAC{host(99), group, frame.Broadcast}
	tests := []struct {
		name  string
		flag  func(*vswitch.PortFlags)
		class int // that BLUE does not get
	}{
		{"flood", func(k *vswitch.PortFlags) { k.Flood = false }, unicast},
		{"mcast_flood", func(k *vswitch.PortFlags) { k.MulticastFlood = false }, multi},
		{"bcast_flood", func(k *vswitch.PortFlags) { k.BroadcastFlood = false }, broad},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
			l.set("BLUE", test.flag)
			for class, want := range [3]string{"BLUE GREEN", "BLUE GREEN gateway", "BLUE GREEN gateway"} {
				if class == test.class {
					want = want[len("BLUE "):]
				}
				l.send("RED", dst[class], host(1))
				l.expect(want)
			}
			l.send("BLUE", nearest, host(2))
			l.outcome()
			l.send("RED", host(2), host(1)) // what is known is not flooded
			l.expect("BLUE")
		})
	}
}

// TestGatewayFloods: what the gateway itself says to all or to a group goes to all ports whatever their mcast_flood and
// bcast_flood, or nobody behind such a port could ever hear its ARP. Unknown unicast has no such exception (br_flood).
func TestGatewayFloods(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.SetFlags(l.ports["RED"], vswitch.PortFlags{Learning: true, Isolated: true})
	for dst, want := range map[frame.MAC]string{frame.Broadcast: "RED BLUE", group: "RED BLUE", host(99): "BLUE"} {
		l.send("gateway", dst, gateway)
		if got := l.outcome(); got != want {
			t.Errorf("to %v: %q, want %q", dst, got, want)
		}
	}
}

// TestNobodyToFloodTo: the reason says whether nobody is there or nobody may have it.
func TestNobodyToFloodTo(t *testing.T) {
	none := vswitch.PortFlags{Learning: true}
	isolated := vswitch.PortFlags{Learning: true, Flood: true, Isolated: true}
	for _, test := range []struct {
		name  string
		blue  *vswitch.PortFlags
		red   vswitch.PortFlags
		from  string
		class frame.MAC
		want  string
	}{
		{"alone", nil, none, "RED", host(9), "!no-other-port"},
		{"BLUE takes none", &none, none, "RED", host(9), "!no-flood"},
		{"a broadcast always has the gateway", &none, none, "RED", frame.Broadcast, "gateway"},
		{"the gateway and an empty network", nil, none, "", host(9), "!no-other-port"},
		{"the gateway, and BLUE takes none", &none, none, "", host(9), "!no-flood"},
		{"only isolated ones, and RED is one", &isolated, isolated, "RED", host(9), "!isolated"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{})
			if test.from != "" {
				l.plug("RED", test.red)
			} else {
				test.from = "gateway"
			}
			if test.blue != nil {
				l.plug("BLUE", *test.blue)
			}
			l.send(test.from, test.class, host(1))
			l.expect(test.want)
		})
	}
}

// TestIsolated: isolated ports reach the gateway and ordinary ports, not each other.
func TestIsolated(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	for _, name := range []string{"RED", "BLUE"} {
		l.set(name, func(k *vswitch.PortFlags) { k.Isolated = true })
	}
	for i, name := range l.names {
		l.send(name, nearest, host(i+1))
	}
	l.outcome()
	for _, step := range []struct {
		from string
		dst  frame.MAC
		want string
	}{
		{"RED", host(2), "!isolated"},
		{"RED", host(3), "GREEN"},
		{"RED", gateway, "gateway"},
		{"RED", frame.Broadcast, "GREEN gateway"},
		{"RED", group, "GREEN gateway"},
		{"RED", host(99), "GREEN"},
		{"GREEN", host(1), "RED"},
		{"GREEN", frame.Broadcast, "RED BLUE gateway"},
		{"gateway", host(1), "RED"},
		{"gateway", frame.Broadcast, "RED BLUE GREEN"},
	} {
		src := gateway
		for i, name := range l.names {
			if name == step.from {
				src = host(i + 1)
			}
		}
		l.send(step.from, step.dst, src)
		if got := l.outcome(); got != step.want {
			t.Errorf("%s to %v: %q, want %q", step.from, step.dst, got, step.want)
		}
	}
	l.set("RED", func(k *vswitch.PortFlags) { k.Isolated = false })
	l.send("RED", host(2), host(1))
	l.expect("BLUE")
}

// TestLearningOff: such a port's stations are not entered, and those already there are not taken over.
func TestLearningOff(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	l.set("RED", func(k *vswitch.PortFlags) { k.Learning = false })
	l.send("RED", frame.Broadcast, host(1))
	l.send("BLUE", nearest, host(2))
	l.send("RED", nearest, host(2))
	if got := l.table(); got != "2>BLUE" {
		t.Errorf("table %q", got)
	}
}

// TestLearningTurnedOff: what was learned before ages although its traffic goes on, as in the Linux bridge.
func TestLearningTurnedOff(t *testing.T) {
	l := newLab(t, vswitch.Config{Ageing: 10 * time.Second}, "RED", "BLUE")
	l.send("RED", nearest, host(1))
	l.set("RED", func(k *vswitch.PortFlags) { k.Learning = false })
	l.pass(6 * time.Second)
	l.send("RED", nearest, host(1))
	l.pass(6 * time.Second)
	if got := l.table(); got != "" {
		t.Errorf("table %q: a port that does not learn has refreshed it", got)
	}
}

// TestMTU is row S11: what does not fit the way out is dropped and counted there, and others get it.
func TestMTU(t *testing.T) {
	vlan := func(f frame.Frame) frame.Frame { f.Data[12], f.Data[13] = 0x81, 0; return f }
	gso := func(f frame.Frame, size uint16) frame.Frame {
		f.Offload = frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: frame.GSOTCPv4, GSOSize: size, HeaderLen: 54}
		return f
	}
	of := func(length int) frame.Frame { return frameOf(frame.Broadcast, host(1), length) }
	for _, test := range []struct {
		name string
		f    frame.Frame
		want string
	}{
		{"1500 bytes of payload", of(1514), "SMALL JUMBO gateway"},
		{"1501", of(1515), "JUMBO gateway !pkt-too-big"},
		{"1500 and a tag", vlan(of(1518)), "SMALL JUMBO gateway"},
		{"1501 and a tag", vlan(of(1519)), "JUMBO gateway !pkt-too-big"},
		{"9000", of(9014), "JUMBO gateway !pkt-too-big"},
		{"9001", of(9015), "gateway !pkt-too-bigx2"},
		{"64 KiB in segments that fit", gso(of(65000), 1460), "SMALL JUMBO gateway"},
		{"64 KiB in segments that do not", gso(of(65000), 1461), "JUMBO gateway !pkt-too-big"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, vswitch.Config{}, "RED", "SMALL", "JUMBO")
			l.set("SMALL", func(k *vswitch.PortFlags) { k.MTU = 1500 })
			l.set("JUMBO", func(k *vswitch.PortFlags) { k.MTU = 9000 })
			l.input("RED", test.f)
			small := l.ports["SMALL"].Counters()
			if small.TxDropped+small.TxFrames != 1 {
				t.Errorf("SMALL counts %+v", small)
			}
			l.expect(test.want)
		})
	}
}

// TestStormLimit: only flooded frames count, each port for itself, a second's worth at once and then at the rate.
func TestStormLimit(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.set("RED", func(k *vswitch.PortFlags) { k.StormLimit = 10 })
	l.send("BLUE", nearest, host(2))
	l.outcome()
	burst := func(n int, dst frame.MAC) {
		for range n {
			l.send("RED", dst, host(1))
		}
	}
	burst(12, frame.Broadcast)
	l.expect("BLUEx10 gatewayx10 !stormx2")
	burst(5, host(2))
	l.expect("BLUEx5")
	l.send("BLUE", frame.Broadcast, host(2))
	l.expect("RED gateway")
	l.pass(100 * time.Millisecond)
	burst(2, group)
	l.expect("BLUE gateway !storm")
	l.pass(time.Hour)
	burst(20, frame.Broadcast)
	l.expect("BLUEx10 gatewayx10 !stormx10")
	l.set("RED", func(k *vswitch.PortFlags) { k.StormLimit = 0 })
	burst(20, frame.Broadcast)
	l.expect("BLUEx20 gatewayx20")
}

// TestStormLimitClock is fault F87: a clock that goes back, or starts before the epoch, does not look like a storm.
func TestStormLimitClock(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	for _, jump := range []time.Duration{-time.Hour, -10 * 365 * 24 * time.Hour, time.Hour} {
		l.pass(jump)
		l.send("RED", frame.Broadcast, host(1))
		if got := l.outcome(); got != "BLUE gateway" {
			t.Errorf("after a jump by %v: %q", jump, got)
		}
	}
}
