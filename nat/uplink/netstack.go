//go:build !js

package uplink

import (
	"fmt"
	"time"
	_ "unsafe" // for go:linkname

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"uswitch/nat/netstack"
	"uswitch/switch/frame"
)

// tcpStack is gVisor's TCP, which stands in for every host of the outside at once. Only TCP and ICMP errors about it reach it.
type tcpStack struct {
	*netstack.Stack
	zeros *buffer.View // in place of what has left already
}

const (
	// maxInFlight bounds the SYNs that wait for a dial. The limits of each source are the ones that count (Limits.Dials);
	// past this one netstack ignores SYNs, of whomever.
	maxInFlight = 1 << 16

	// Buffers of one connection in netstack, in bytes. They fill only as far as one side is slower than the other, and
	// what was cut through takes no memory in them. The inside is microseconds away, so that half a megabyte fills the pipe to
	// it. Half of a receive buffer is the window that the inside is offered. It grows only while the outside keeps up, to
	// as much as the kernel's own (tcp(7): tcp_rmem).
	minBuffer     = 4 << 10
	sendBuffer    = 512 << 10
	maxSend       = 2 << 20
	receiveBuffer = 1 << 20
	maxReceive    = 6 << 20

	// timeWait is short, because netstack's TIME-WAIT would swallow a SYN that reuses the port of a connection that the
	// outside closed first, which an inside host may do. No old segment can be on the way between the two.
	timeWait = time.Millisecond
)

func (h *Host) newStack() (*tcpStack, error) {
	s, err := netstack.New(netstack.Config{Transport: []stack.TransportProtocolFactory{tcp.NewProtocol}, MTU: max(h.mtu, frame.IPv6MinMTU), GSO: h.gso,
		Contain: func(f func()) { h.contained(f) },
		Send: func(f frame.Frame) {
			h.flows.note(frame.IP(f.Data[frame.EthernetHeader:]))
			h.inject(f)
		}})
	if err != nil {
		return nil, fmt.Errorf("uplink: %w", err)
	}
	for _, o := range options() {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			s.Close()
			return nil, fmt.Errorf("uplink: netstack: %v", err)
		}
	}
	forwarder := tcp.NewForwarder(s.Stack, receiveBuffer, maxInFlight, h.accept)
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, forwarder.HandlePacket)
	return &tcpStack{s, buffer.NewViewSize(MaxMTU)}, nil
}

// options are what is to be different from netstack's defaults, which are made for the internet.
//
// Between netstack and a host inside there is no network, only a TAP: some microseconds, no queue, no losses but those that
// a test makes on purpose. Cubic takes the time that acknowledgements wait for a processor for a path that fills up (HyStart)
// and stays at a small window, which cuts super-frames to pieces; RACK and the probe for a lost tail see losses in it and send
// again what nobody has lost. With Reno and acknowledgements alone (RFC 5681, RFC 6675) an inward stream costs a third less.
func options() []tcpip.SettableTransportProtocolOption {
	sack, moderate, wait := tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true), tcpip.TCPTimeWaitTimeoutOption(timeWait)
	congestion, recovery := tcpip.CongestionControlOption("reno"), tcpip.TCPRecovery(0)
	return []tcpip.SettableTransportProtocolOption{&sack, &moderate, &wait, &congestion, &recovery,
		&tcpip.TCPSendBufferSizeRangeOption{Min: minBuffer, Default: sendBuffer, Max: maxSend},
		&tcpip.TCPReceiveBufferSizeRangeOption{Min: minBuffer, Default: receiveBuffer, Max: maxReceive}}
}

// input gives netstack a packet, which it borrows, with headers of that many bytes in all. Of a packet whose payload has
// left already (cutthrough.go) netstack gets as many zeros, which all such packets share. Netstack makes a copy of its own of the
// memory in which it reads headers, all of it. So those of a large packet are in memory of their own.
func (n *tcpStack) input(p frame.IP, headers int, left bool) {
	var data buffer.Buffer
	switch {
	case left:
		data = buffer.MakeWithData(p[:headers])
		_ = data.Append(n.zero(len(p) - headers))
	case len(p) > largePacket && headers < len(p):
		data = buffer.MakeWithData(p[:headers])
		_ = data.Append(buffer.NewViewWithData(p[headers:]))
	default:
		data = buffer.MakeWithData(p)
	}
	n.Input(data)
}

// zero returns a view of that many zeros, up to those of the largest packet.
func (n *tcpStack) zero(count int) *buffer.View {
	v := n.zeros.Clone() // of the view; the bytes are shared, and netstack does not write to what it has received
	v.CapLength(count)
	return v
}

// largePacket is from how many bytes on a packet is in two pieces.
const largePacket = 512

// Netstack has goroutines of its own that process segments. For much data that is right, for they work while the next
// frame is being read. For a question of a few bytes it is most of the cost: Go wakes a thread for the goroutine, and the
// thread takes a processor from whoever is to answer. So a small segment of an established connection is processed where
// it arrives, as the kernel does it. It is worth a fifth of a small answer's time and a third of its processor time.

// handleSegments processes the segments that wait for an endpoint, which must be locked. It is what netstack's goroutines
// call. Nothing that netstack exports does it; the version is pinned, and without this name the program does not link.
//
//go:linkname handleSegments gvisor.dev/gvisor/pkg/tcpip/transport/tcp.(*Endpoint).handleSegmentsLocked
func handleSegments(*tcp.Endpoint) tcpip.Error

// smallSegment is up to how many bytes of payload a segment is processed where it arrives.
const smallSegment = 512

// inputNow is input for a segment of an endpoint, and processes it before it returns. It returns false, and has done
// nothing, if that is not worth it or not safe.
//
// An endpoint that is locked would make this goroutine wait; if it is the one that has locked it, for ever: netstack sends
// with the lock held, and what it sends may be answered in the same call. So nothing is processed here while netstack sends.
func (n *tcpStack) inputNow(ep *tcp.Endpoint, p frame.IP, t frame.TCP, left bool) bool {
	size := len(t.Payload())
	if size == 0 || size > smallSegment || t.Flags()&(frame.SYN|frame.RST) != 0 ||
		n.Sending() || !carries(ep) {
		return false
	}
	ep.LockUser() // from here on the segment is only queued
	n.input(p, p.HeaderLen()+t.HeaderLen(), left)
	var err tcpip.Error
	if carries(ep) {
		err = handleSegments(ep)
	}
	ep.UnlockUser() // netstack's goroutines see to what was not processed
	if err != nil {
		ep.Abort()
	}
	return true
}

// carries says that an endpoint has nothing to do but to carry data: what else there may be, netstack's goroutines do.
func carries(ep *tcp.Endpoint) bool {
	return tcp.EndpointState(ep.State()) == tcp.StateEstablished
}
