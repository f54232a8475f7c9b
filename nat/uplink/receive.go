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
const payloadAt = frame.EthernetHeader + frame.IPv4Header + frame.UDPHeader

// receive hands in what arrives at the socket of a UDP or ping mapping, until the socket is closed.
func (h *Host) receive(m *mapping, sock *socket) {
	at := payloadAt
	if m.inside.proto == frame.ProtoICMP {
		at = frame.EthernetHeader + frame.IPv4Header
	}
	h.readAll(sock, at, func(b []byte, r received) {
		if m.inside.proto == frame.ProtoICMP {
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
	_ = sock.conn.Read(func(fd uintptr) bool { // it ends when the socket is closed
		b := buffers.Get().(packetBuffer)
		defer buffers.Put(b)
		var oob [oobSize]byte
		for {
			r, err := receiveFrom(int(fd), b[at:], oob[:])
			switch {
			case err == nil:
				eachPiece(b[:], r, datagram)
				continue
			case errors.Is(err, unix.EINTR):
				continue
			}
			// Whatever it is, it is over by being told: nothing is left (EAGAIN), or an error of an earlier datagram, about
			// which the error queue knows more.
			failures := 0
			for f, ok := receiveFailure(int(fd), b[:], oob[:]); ok; f, ok = receiveFailure(int(fd), b[:], oob[:]) {
				failed(f)
				failures++
			}
			if errors.Is(err, unix.EAGAIN) && failures == 0 {
				return false
			}
		}
	})
}

// eachPiece takes apart what the kernel has put together: datagrams of one sender that came one behind the other (udp(7):
// UDP_GRO). The headers of each are written over the end of the one before it.
func eachPiece(b []byte, r received, datagram func([]byte, received)) {
	left := r.n
	for r.pieces > 0 && left > r.pieces {
		r.n = r.pieces
		datagram(b, r)
		b, left = b[r.pieces:], left-r.pieces
	}
	r.n = left
	datagram(b, r)
}
