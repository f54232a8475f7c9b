package nat_test

import (
	"fmt"
	"testing"
	"time"

	"uswitch/arp"
	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// green is a host of br1 that the gateway has not heard of, and that does not answer by itself.
func (l *lab) green() host { return host{l.br1, ip4("22.22.22.9"), frame.MAC{2, 0, 0, 0, 1, 9}} }

func TestA9LateAnswer(t *testing.T) {
	l := newLab(t)
	l.red.send(udp(redPort, "22.22.22.9:53", "one"))
	l.want(l.br1)
	l.advance(1500 * time.Millisecond)
	l.red.send(udp(redPort, "22.22.22.9:53", "two"))
	l.green().arp(frame.ARPReply, gatewayMAC)
	l.want(l.br1, `udp 11.11.11.2:1818 > 22.22.22.9:53 ttl 63 "one"`, `udp 11.11.11.2:1818 > 22.22.22.9:53 ttl 63 "two"`)
	for _, f := range l.br1.frames {
		if e := frame.Ethernet(f.Data); e.Dst() != l.green().mac || e.Src() != gatewayMAC {
			t.Errorf("sent to %v from %v", e.Dst(), e.Src())
		}
	}
}

func TestA9Silence(t *testing.T) {
	l := newLab(t)
	about := ` about udp 11.11.11.2:1818 > 22.22.22.9:53 ttl 63 "q"`
	l.red.send(udp(redPort, "22.22.22.9:53", "q"))
	l.advance(2900 * time.Millisecond)
	l.want(l.br0)
	if n := len(l.br1.arps()); n != 3 {
		t.Errorf("asked %d times in three seconds, want 3", n)
	}
	l.advance(200 * time.Millisecond)
	l.want(l.br0, "icmp 3/1 11.11.11.1 > 11.11.11.2 ttl 64"+about)
	l.drops(trace.NeighFailed, 1)

	// Masqueraded and translated: the sender reads of what it sent.
	l = newLab(t, "-t nat -A PREROUTING -d 192.0.2.2/32 -j DNAT --to-destination 22.22.22.9", "-t nat -A POSTROUTING -j MASQUERADE")
	l.red.send(udp(redPort, "192.0.2.2:53", "q"))
	l.advance(4 * time.Second)
	l.want(l.br0, `icmp 3/1 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:1818 > 192.0.2.2:53 ttl 63 "q"`)
}

func TestA9OneRequestASecond(t *testing.T) {
	l := newLab(t)
	for range 100 {
		l.red.send(udp(redPort, "22.22.22.9:53", "q"))
		l.advance(99 * time.Millisecond)
	}
	if n := len(l.br1.arps()); n > 10 {
		t.Errorf("asked %d times in ten seconds", n)
	}
}

func TestA9QueueIsBounded(t *testing.T) {
	l := newLab(t)
	for i := range 20 {
		l.red.send(udp(redPort, "22.22.22.9:53", fmt.Sprint(i)))
	}
	l.drops(trace.NeighQueueFull, 20-arp.MaxHeld)
	l.green().arp(frame.ARPReply, gatewayMAC)
	got := l.br1.packets()
	if len(got) != arp.MaxHeld || got[0] != `udp 11.11.11.2:1818 > 22.22.22.9:53 ttl 63 "4"` {
		t.Errorf("%d packets went on, the first is %s", len(got), got[0])
	}
}

func TestF20TableIsBounded(t *testing.T) {
	l := newLab(t)
	wide := &wire{lab: l}
	wide.leg = l.add(nat.InterfaceConfig{Name: "wide", Addr: prefix("10.1.0.1/16"), MAC: gatewayMAC, Segment: wide})
	for i := range arp.MaxNeighbors + 100 {
		l.red.send(udp(redPort, fmt.Sprintf("10.1.%d.%d:53", 1+i/250, 1+i%250), "q"))
	}
	l.drops(trace.NeighTableFull, arp.MaxNeighbors+100-arp.MaxHeldTotal)
	if n := len(wide.leg.Neighbors(l.now)); n != arp.MaxHeldTotal {
		t.Errorf("%d neighbours", n)
	}
}

func TestA7Conflict(t *testing.T) {
	l := newLab(t)
	l.listen()
	thief := host{l.br0, ip4("11.11.11.1"), frame.MAC{2, 0, 0, 0, 6, 6}}
	thief.arp(frame.ARPRequest, frame.MAC{})
	if got := l.br0.arps(); len(got) != 1 || !got[0].IsAnnouncement() || got[0].SenderMAC() != gatewayMAC {
		t.Errorf("the gateway defends itself with %v", got)
	}
	l.trace(t, "1.1 arp consume defended", "2.1 arp accept announced")
	l.advance(9 * time.Second)
	thief.arp(frame.ARPRequest, frame.MAC{})
	if got := l.br0.arps(); len(got) != 0 {
		t.Errorf("and again within ten seconds with %v", got)
	}
	l.trace(t, "3.1 arp consume conflict")
}

func TestA8Announcements(t *testing.T) {
	l := newLab(t)
	added := &wire{lab: l}
	added.leg = l.add(nat.InterfaceConfig{Name: "br2", Addr: prefix("33.33.33.1/24"), MAC: gatewayMAC, Segment: added})
	for i, want := range []int{1, 1, 2, 2, 2} {
		l.advance(0)
		if n := len(added.frames); n != want {
			t.Errorf("%d announcements after %d s, want %d", n, i, want)
		}
		l.advance(time.Second)
	}
}

func TestDeadlineWhileAnswersComeAtOnce(t *testing.T) {
	// Whatever a Tick sets off, Deadline is not later than what the Tick itself asked for.
	l := newLab(t, masquerade)
	l.red.send(echo("11.11.11.2", "22.22.22.2", 7, ""))
	l.advance(40 * time.Second) // BLUE's entry is stale
	l.red.send(echo("11.11.11.2", "22.22.22.2", 7, ""), udp(redPort, "22.22.22.9:53", "waits for GREEN"))
	for range 20 {
		due := l.Deadline()
		if due.IsZero() {
			t.Fatal("nothing is due although a packet waits")
		}
		l.now = due
		if next := l.Tick(l.now); !next.IsZero() && l.Deadline().After(next) {
			t.Fatalf("Tick asks to be called in %v, Deadline says %v", next.Sub(l.now), l.Deadline().Sub(l.now))
		}
	}
}

func TestRemoveDropsWhatWaits(t *testing.T) {
	l := newLab(t)
	l.red.send(udp(redPort, "22.22.22.9:53", "q"))
	l.Remove(l.br1.leg)
	l.drops(trace.NeighRemoved, 1)
	l.red.send(udp(redPort, "22.22.22.9:53", "q"))
	l.want(l.wan, `udp 11.11.11.2:1818 > 22.22.22.9:53 ttl 63 "q"`) // the default route
	if _, ok := l.Interface("br1"); ok || len(l.Routes()) != 3 {
		t.Errorf("after Remove: %v", l.Routes())
	}
}
