//go:build !js

package uplink

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// buffers are large enough for any IP packet behind room for an Ethernet header. A socket holds one only while it has
// something to read, so that an idle one costs nothing but its goroutine.
var buffers = sync.Pool{New: func() any { return new([frame.EthernetHeader + MaxMTU + 1]byte) }}

type packetBuffer = *[frame.EthernetHeader + MaxMTU + 1]byte

// oobSize holds the control messages that prepare asks for, an ICMP error's among them.
const oobSize = 256

// payloadAt is where in a buffer a datagram's payload goes, behind the headers that will be written in front.
func payloadAt(v6 bool) int {
	if v6 {
		return frame.EthernetHeader + frame.IPv6Header + frame.UDPHeader
	}
	return frame.EthernetHeader + frame.IPv4Header + frame.UDPHeader
}

// receive hands in what arrives at the socket of a UDP or ping mapping, until the socket is closed.
func (h *Host) receive(m *mapping, sock *socket) {
	at, icmp := payloadAt(m.outside().v6), frame.IsICMP(m.inside.proto)
	if icmp {
		at -= frame.UDPHeader
	}
	h.readAll(sock, at, func(b []byte, r received) {
		if icmp {
			h.injectEchoReply(b, r)
		} else {
			h.injectUDP(b, r, m.port)
		}
	}, func(f failure) { h.injectFailure(m, f) })
}

// readAll reads datagrams to position at of a buffer, and ICMP errors, until the socket is closed. The poller wakes it for
// either; each time both are read to the end. A datagram is given with the buffer from at bytes before it on, which are
// room.
func (h *Host) readAll(sock *socket, at int, datagram func([]byte, received), failed func(failure)) {
	defer h.queues.join(sock)()
	var closed error
	for closed == nil {
		h.contained(func() { // a fault loses what was read together with its cause
			closed = sock.conn.Read(func(fd uintptr) bool { return h.readTurn(int(fd), at, datagram, failed) })
		})
	}
}

// readsInTurn is how many system calls read datagrams in one turn. Whoever closes the socket waits for the end of a turn only,
// however fast more of them come.
const readsInTurn = 64

// readTurn is one turn of readAll. It returns false when there is nothing left to read.
func (h *Host) readTurn(fd, at int, datagram func([]byte, received), failed func(failure)) (more bool) {
	in := newBatch()
	defer in.release()
	var oob [oobSize]byte
	inRow := 0
	for range readsInTurn {
		n, err := in.receive(fd, at, atOnce(inRow))
		for i := range n {
			r := in.received(i)
			if inRow++; r.pieces > 0 {
				inRow = 0
			}
			eachPiece(in.buffers[i][:], r, h.together(r), datagram)
		}
		if err == nil || errors.Is(err, unix.EINTR) {
			continue
		}
		// Whatever it is, it is over by being told: nothing is left (EAGAIN), or an error of an earlier datagram, about
		// which the error queue knows more.
		failures := 0
		for f, ok := receiveFailure(fd, in.buffers[0][:], oob[:]); ok && failures < readsInTurn; f, ok = receiveFailure(fd, in.buffers[0][:], oob[:]) {
			failed(f)
			failures++
		}
		if errors.Is(err, unix.EAGAIN) && failures == 0 {
			return false
		}
	}
	return true
}

// atOnce is how many datagrams to read with the next system call after inRow single ones, one behind the other. A socket
// on which now and then one arrives needs no more than one buffer, and what the kernel puts together is a batch already.
func atOnce(inRow int) int {
	if inRow < 2 {
		return 1
	}
	return batchSize
}

// maxTogether is how many datagrams one super-frame may stand for: what every kernel that knows such frames takes
// (include/linux/udp.h: UDP_MAX_SEGMENTS was 64 before it became 128).
const maxTogether = 64

// together is how many of the datagrams that the kernel has put together go on as one frame: several only where the inside
// takes super-frames, and each of them fits its networks. Those that do not are for the gateway to fragment one by one.
func (h *Host) together(r received) int {
	if h.gso && payloadAt(r.from.Addr().Is6())-frame.EthernetHeader+r.pieces <= h.mtu {
		return maxTogether
	}
	return 1
}

// eachPiece takes apart what the kernel has put together: datagrams of one sender that came one behind the other (udp(7):
// UDP_GRO), all of one size but the last. A piece is so many of them. The headers of each are written over the end of the
// one before it.
func eachPiece(b []byte, r received, together int, datagram func([]byte, received)) {
	left, most := r.n, r.pieces*together
	for most > 0 && left > most {
		r.n = most
		datagram(b, r)
		b, left = b[most:], left-most
	}
	r.n = left
	datagram(b, r)
}

// queues are the sockets that datagrams are read from, each with a queue in the kernel that can be full.
type queues struct {
	mu   sync.Mutex // guards what follows
	open map[*socket]struct{}
	gone uint64 // what those have dropped that are closed
}

// join makes a socket one of them, until leave is called after its end.
func (q *queues) join(s *socket) (leave func()) {
	s.queue.Store(true)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[*socket]struct{}{}
	}
	q.open[s] = struct{}{}
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.open, s)
		q.gone += s.overflowed()
	}
}

// overflowed returns what the socket's queue has dropped; of one that is closed, what that was then.
func (s *socket) overflowed() uint64 {
	_ = s.control(func(fd int) error {
		s.lost.Store(queueDrops(fd))
		return nil
	})
	return s.lost.Load()
}

// Overflowed returns how many datagrams from outside never came in because the queue of the socket that they were for was
// full: of published ports, and of the flows of hosts. They are the kernel's to count, which is asked when this is called.
func (h *Host) Overflowed() uint64 {
	h.queues.mu.Lock()
	defer h.queues.mu.Unlock()
	sum := h.queues.gone
	for s := range h.queues.open {
		sum += s.overflowed()
	}
	return sum
}
