//go:build linux

package uplink_test

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// limited is a Host with these limits whose clock is the returned one.
func limited(t *testing.T, l uplink.Limits) (h *uplink.Host, clock *atomic.Pointer[time.Time]) {
	t.Helper()
	clock = new(atomic.Pointer[time.Time])
	clock.Store(&at)
	h, err := uplink.NewHost(uplink.HostConfig{Limits: l, Now: func() time.Time { return *clock.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	h.Attach(func(frame.Frame, time.Time) {}, func(nat.Failure, time.Time) {})
	return h, clock
}

// toBlackhole is a connection that nobody answers, from a port of RED's.
func toBlackhole(port uint16) frame.Tuple {
	return frame.Tuple{Proto: frame.ProtoTCP, SrcIP: frame.AddrOf(red), SrcPort: port, DstIP: frame.AddrOf(netip.MustParseAddr(blackhole)), DstPort: 9}
}

// TestDialRate: who begins one connection after the other that nobody answers is held to its rate, whatever addresses and
// ports it takes; nobody else is.
func TestDialRate(t *testing.T) {
	outside(t)
	h, clock := limited(t, uplink.Limits{DialRate: 50})
	begins := func(source uint64, tries int) (begun int) {
		t.Helper()
		for i := range tries {
			c := toBlackhole(uint16(10000 + i))
			c.SrcIP = frame.AddrOf(netip.AddrFrom4([4]byte{11, 11, 11, byte(i)}))
			switch _, r := h.Bind(nat.Binding{Tuple: c, Source: source}, *clock.Load()); r {
			case trace.NoReason:
				begun++
				h.Release(c)
			case trace.DialRate:
			default:
				t.Fatal(r)
			}
		}
		return begun
	}
	if n := begins(7, 400); n != 50 {
		t.Errorf("the flooding host began %d connections at once, want 50", n)
	}
	if n := begins(8, 10); n != 10 {
		t.Errorf("the other host began %d connections of 10", n)
	}
	later := at.Add(100 * time.Millisecond)
	clock.Store(&later)
	if n := begins(7, 400); n != 5 {
		t.Errorf("the flooding host began %d more in a tenth of a second, want 5", n)
	}
	if n := begins(8, 400); n != 45 {
		t.Errorf("the other host began %d, want the 40 that it had left and 5 more", n)
	}
}

// TestDialRateOfRepeatedSYNs: a connection that was given up for newer ones begins again with its next SYN, which counts.
func TestDialRateOfRepeatedSYNs(t *testing.T) {
	outside(t)
	h, clock := limited(t, uplink.Limits{Dials: 1, DialRate: 3})
	var own [2]netip.AddrPort
	for i := range own {
		var r trace.Reason
		if own[i], r = h.Bind(nat.Binding{Tuple: toBlackhole(uint16(10000 + i)), Source: 7}, at); r != trace.NoReason {
			t.Fatal(r)
		}
	}
	again := func(i int) trace.Reason {
		return h.Output(packet(frame.ProtoTCP, own[i].Addr().String(), blackhole, syn(own[i].Port(), 9)), *clock.Load())
	}
	if r := again(0); r != trace.NoReason { // the third: the second one has its socket
		t.Fatal(r)
	}
	eventually(t, "the fourth beginning is not refused", func() bool { return again(1) == trace.DialRate })
	later := at.Add(time.Second)
	clock.Store(&later)
	if r := again(1); r != trace.NoReason {
		t.Errorf("a second later: %v", r)
	}
}

// TestDialRateIsOfFailures: connections that come about are not counted.
func TestDialRateIsOfFailures(t *testing.T) {
	l := newLab(t, uplink.HostConfig{Limits: uplink.Limits{DialRate: 2}})
	serve(t, wanPID, server+":26", echo)
	for range 20 {
		exchange(t, l.mustDial(t, red, server+":26"), []byte("x"))
	}
	if n := l.tracer.Drops(trace.DialRate); n != 0 {
		t.Errorf("%d SYNs were refused", n)
	}
}

// TestDialRateIsCounted: by way of the gateway each SYN that is refused is a drop with that reason, begins no connection, and
// is answered by nothing, so that TCP tries again.
func TestDialRateIsCounted(t *testing.T) {
	l := newLab(t, uplink.HostConfig{Limits: uplink.Limits{DialRate: 1}})
	const tries = 30
	begin := time.Now()
	for i := range uint16(tries) {
		segment := syn(20000+i, 9)
		binary.BigEndian.PutUint16(segment[16:], frame.Checksum(segment, frame.PseudoHeader(frame.ProtoTCP, red, netip.MustParseAddr(blackhole), len(segment))))
		l.send(frame.ProtoTCP, 64, red.String(), blackhole, segment)
	}
	most := 2 + int(time.Since(begin).Seconds())
	begun, refused := len(l.gateway.Conns(l.now())), int(l.tracer.Drops(trace.DialRate))
	if begun < 1 || begun > most || begun+refused != tries {
		t.Errorf("%d of %d began and %d were refused; want at most %d", begun, tries, refused, most)
	}
	if len(l.told) != 0 {
		t.Errorf("the host was told: %+v", <-l.told)
	}
}
