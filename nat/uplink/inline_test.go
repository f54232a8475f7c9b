package uplink_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// hand is a client inside whose TCP is made by hand: it sees a segment in the very call that brings it, and may answer there.
type hand struct {
	l        *lab
	next     atomic.Uint32 // the sequence number of what it sends next
	first    atomic.Uint32 // the sequence number of the first byte that it receives
	received atomic.Uint32 // up to where it has received
	acked    atomic.Uint32 // up to where it was acknowledged
	answers  atomic.Int32  // how many segments it still answers in the same call
}

const handPort = 4711

// connect makes the handshake with port 7 of the server.
func (h *hand) connect(t *testing.T) {
	t.Helper()
	h.l.byHand.Store(h)
	t.Cleanup(func() { h.l.byHand.Store(nil) })
	h.send(frame.SYN, "")
	eventually(t, "the SYN is answered", func() bool { return h.acked.Load() == 1 })
	h.send(frame.ACK, "")
}

func (h *hand) send(flags frame.TCPFlags, payload string) {
	t := append(syn(handPort, 7), payload...)
	length := uint32(len(payload))
	if flags&frame.SYN != 0 {
		length++
	}
	binary.BigEndian.PutUint32(t[4:], h.next.Add(length)-length)
	binary.BigEndian.PutUint32(t[8:], h.received.Load())
	t[13] = byte(flags)
	binary.BigEndian.PutUint16(t[14:], 0xffff)
	f := packet(frame.ProtoTCP, red.String(), server, t)
	frame.Ethernet(f.Data).SetHeader(frame.MAC{2, 0x42, 11, 11, 11, 1}, frame.MAC{2, 0x42, 11, 11, 11, 2}, frame.TypeIPv4)
	h.l.leg.Input(f, nil, h.l.now())
}

// take takes a frame if it is for the hand.
func (h *hand) take(f frame.Frame) bool {
	ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
	if err != nil || ip.Proto() != frame.ProtoTCP || frame.TCP(ip.Payload()).DstPort() != handPort {
		return false
	}
	t := frame.TCP(ip.Payload())
	advance(&h.acked, t.Ack())
	end := t.Seq() + uint32(len(t.Payload()))
	if t.Flags()&frame.SYN != 0 && h.first.CompareAndSwap(0, t.Seq()+1) {
		h.received.Store(t.Seq() + 1)
	}
	advance(&h.received, end)
	if h.answers.Add(-1) >= 0 {
		h.send(frame.ACK|frame.PSH, "x")
	}
	return true
}

// advance moves a place in a stream forward to another, unless it is there already.
func advance(place *atomic.Uint32, to uint32) {
	for {
		old := place.Load()
		if int32(to-old) <= 0 || place.CompareAndSwap(old, to) {
			return
		}
	}
}

// echoes sends a byte and waits for it to come back, and returns whether it was acknowledged before the call returned that
// brought it.
func (h *hand) echoes(t *testing.T) (atOnce bool) {
	t.Helper()
	back := h.received.Load() + 1
	h.send(frame.ACK|frame.PSH, "?")
	atOnce = h.acked.Load() == h.next.Load()
	eventually(t, "a byte comes back", func() bool { return h.received.Load() == back })
	return atOnce
}

// TestInputNow: a small segment is processed before the call returns that brought it.
func TestInputNow(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	serve(t, wanPID, server+":7", echo)
	h := &hand{l: l}
	h.connect(t)
	eventually(t, "a segment is processed where it arrives", func() bool { return h.echoes(t) })
	h.send(frame.ACK|frame.RST, "")
}

// TestInputNowAnswers: whoever answers in the call in which netstack sends, with the connection locked, is not made to wait
// for ever.
func TestInputNowAnswers(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	serve(t, wanPID, server+":7", echo)
	h := &hand{l: l}
	h.connect(t)
	h.echoes(t)
	h.answers.Store(2000)
	h.send(frame.ACK|frame.PSH, "!")
	eventually(t, "everything is answered", func() bool { return h.answers.Load() < 0 })
	eventually(t, "everything is acknowledged", func() bool { return h.acked.Load() == h.next.Load() })
	eventually(t, "everything comes back", func() bool { return h.received.Load()-h.first.Load() == h.next.Load()-1 })
	h.send(frame.ACK|frame.RST, "")
}

// TestDiscards: what TCP must discard reaches nobody outside, and is a drop with its reason; the connection goes on.
func TestDiscards(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	got := make(chan string, 1)
	serve(t, wanPID, server+":7", func(c *net.TCPConn) {
		b, _ := io.ReadAll(c)
		got <- string(b)
	})
	h := &hand{l: l}
	h.connect(t)
	forge := func(flags frame.TCPFlags, ahead uint32) {
		received, next := h.received.Load(), h.next.Load()
		h.received.Store(received + ahead)
		h.send(flags, "forged")
		h.received.Store(received)
		h.next.Store(next)
	}
	forge(frame.PSH, 0)
	forge(0, 0)
	forge(frame.PSH|frame.ACK, 1000)
	if flags, unsent := l.tracer.Drops(trace.TCPFlags), l.tracer.Drops(trace.AckUnsent); flags != 2 || unsent != 1 {
		t.Errorf("%d without ACK and %d that acknowledge too much are dropped, want 2 and 1", flags, unsent)
	}
	h.send(frame.ACK|frame.PSH, "honest")
	h.send(frame.ACK|frame.FIN, "")
	h.next.Add(1)
	if b := <-got; b != "honest" {
		t.Errorf("the outside got %q", b)
	}
	h.send(frame.ACK|frame.RST, "")
}
