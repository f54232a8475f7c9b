package netstack

import (
	"fmt"
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"uswitch/switch/frame"
)

// NIC is the number of a Stack's interface.
const NIC tcpip.NICID = 1

// Config describes a Stack.
type Config struct {
	// Transport are the transport protocols that it speaks.
	Transport []stack.TransportProtocolFactory
	// MTU bounds the packets that it sends, in bytes.
	MTU int
	// GSO makes TCP leave in super-frames (frame.Offload).
	GSO bool
	// Send takes a packet that leaves. It is called from many goroutines, maybe with the lock of a connection held; the frame is
	// lent for the call and may be changed.
	Send func(frame.Frame)
	// Contain calls a function that concerns one packet, and survives its fault: the packet is lost then.
	Contain func(func())
}

// Stack is gVisor's netstack with its interface. Its methods may be called from many goroutines.
type Stack struct {
	*stack.Stack
	link  *link
	later chan []byte // IP packets on their way to run
	done  chan struct{}
	ended sync.WaitGroup
}

// queue bounds the packets that wait for InputLater; more are lost, as on any network.
const queue = 256

// New makes a Stack. Close ends it.
func New(c Config) (*Stack, error) {
	s := &Stack{link: &link{config: c}, later: make(chan []byte, queue), done: make(chan struct{})}
	s.Stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: c.Transport,
	})
	if err := s.CreateNIC(NIC, s.link); err != nil {
		return nil, fmt.Errorf("netstack: %v", err)
	}
	s.SetSpoofing(NIC, true)
	s.SetPromiscuousMode(NIC, true)
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: NIC}, {Destination: header.IPv6EmptySubnet, NIC: NIC}})
	s.ended.Go(s.run)
	return s, nil
}

// Close resets every connection, and returns when no goroutine of the Stack's is left.
func (s *Stack) Close() {
	s.Destroy()
	close(s.done)
	s.ended.Wait()
}

// Input gives it a packet. What the packet gives rise to may be sent before Input returns.
func (s *Stack) Input(data buffer.Buffer) {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: data})
	s.link.deliver(pkt)
	pkt.DecRef()
}

// InputLater gives it a copy of a packet by another goroutine. It is for whoever may be called by Send: netstack sends with the
// lock of a connection held, and would wait for that lock if the packet is about this connection.
func (s *Stack) InputLater(packet []byte) {
	select {
	case s.later <- append([]byte(nil), packet...):
	default:
	}
}

// run brings what InputLater was given, until Close.
func (s *Stack) run() {
	for {
		select {
		case p := <-s.later:
			s.link.config.Contain(func() { s.Input(buffer.MakeWithData(p)) })
		case <-s.done:
			return
		}
	}
}

// Sending reports whether it is sending at this moment, from whichever goroutine.
func (s *Stack) Sending() bool { return s.link.sending.Load() > 0 }

// Address is a as netstack has it.
func Address(a netip.AddrPort) tcpip.FullAddress {
	return tcpip.FullAddress{NIC: NIC, Addr: tcpip.AddrFromSlice(a.Addr().AsSlice()), Port: a.Port()}
}
