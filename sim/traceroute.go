package sim

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// Of traceroute, as the program of that name has them: the port of the first probe, the farthest hop, how long one
// answer may take.
const (
	firstProbe = 33434
	maxHops    = 30
	probeWait  = 5 * time.Second
)

// Traceroute finds the routers on the way to dst: it sends datagrams that may travel 1, 2, 3 ... hops, one each, and
// prints who sends them back. done is called once.
func (m *Machine) Traceroute(dst netip.Addr, out io.Writer, done func()) {
	w, err := m.net.source(toward(frame.ProtoUDP, netip.AddrPortFrom(dst, firstProbe)))
	if err != nil {
		fmt.Fprintln(out, "connect: Network is unreachable")
		done()
		return
	}
	fmt.Fprintf(out, "traceroute to %v (%v), %d hops max\n", dst, dst, maxHops)
	t := &tracing{m: m, dst: dst, out: out, done: done}
	t.from = netip.AddrPortFrom(w.src, m.ephemeral(func(p uint16) bool { return m.sockets[p] != nil }))
	m.sockets[t.from.Port()] = &socket{receive: func(netip.AddrPort, netip.Addr, []byte) {}, failed: t.failed}
	t.probe()
}

// tracing is a traceroute under way.
type tracing struct {
	m     *Machine
	from  netip.AddrPort
	dst   netip.Addr
	out   io.Writer
	done  func()
	hop   uint8
	asked time.Time
	timer *Timer
}

func (t *tracing) probe() {
	if t.hop == maxHops {
		t.end()
		return
	}
	t.hop++
	t.asked = t.m.time.Now()
	t.timer = t.m.time.After(probeWait, func() {
		fmt.Fprintf(t.out, "%2d  *\n", t.hop)
		t.probe()
	})
	// A datagram of 32 bytes cannot be too long, and there was a route a moment ago.
	_ = t.m.sendUDP(t.from, netip.AddrPortFrom(t.dst, t.port()), make([]byte, 32), t.hop)
}

// port tells the probes apart: each goes to the next one.
func (t *tracing) port() uint16 { return firstProbe + uint16(t.hop) - 1 }

// failed takes the answer to a probe: Time Exceeded from a router, or Port Unreachable from where the way ends.
func (t *tracing) failed(e fault) {
	if e.about.DstPort != t.port() {
		return // of a probe that was given up
	}
	t.timer.Stop()
	mark := ""
	if e.icmpType == frame.ICMPUnreachable {
		mark = frame.ICMPError{Type: e.icmpType, Code: e.code}.Traceroute()
	}
	fmt.Fprintf(t.out, "%2d  %v  %s ms%s\n", t.hop, e.from, milliseconds(t.m.time.Now().Sub(t.asked)), mark)
	if e.icmpType == frame.ICMPUnreachable {
		t.end()
		return
	}
	t.probe()
}

func (t *tracing) end() {
	t.timer.Stop()
	delete(t.m.sockets, t.from.Port())
	t.done()
}
