package station

import (
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// card is netstack's network card; the gateway is at the other end of the cable. Netstack may send while it holds the lock
// of a connection, and the gateway may answer on the spot, with an ICMP error say, for which netstack wants that lock. So
// what comes in waits in a queue for another goroutine.
type card struct {
	gateway    Gateway
	tracer     *trace.Tracer
	in         chan []byte // IP packets
	senders    senders
	done       chan struct{}
	ended      sync.WaitGroup
	dispatcher atomic.Pointer[stack.NetworkDispatcher] // nil before the card is in use and after
}

const (
	mtu   = 1500
	queue = 256 // packets that wait; more are lost, as on any network
)

func newCard(g Gateway, tracer *trace.Tracer) *card {
	c := &card{gateway: g, tracer: tracer, in: make(chan []byte, queue), done: make(chan struct{})}
	c.ended.Go(c.run)
	return c
}

// Deliver implements nat.Socket: it takes a packet that ends at the gateway.
func (c *card) Deliver(f frame.Frame, _ time.Time) {
	c.senders.note(f)
	select {
	case c.in <- append([]byte(nil), f.Data[frame.EthernetHeader:]...):
	default:
	}
}

// run hands netstack what came in, until stop.
func (c *card) run() {
	for {
		select {
		case p := <-c.in:
			if d := c.dispatcher.Load(); d != nil {
				c.contained(func() {
					pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(p)})
					(*d).DeliverNetworkPacket(header.IPv4ProtocolNumber, pkt)
					pkt.DecRef()
				})
			}
		case <-c.done:
			return
		}
	}
}

// contained runs f, with one packet. A fault in it loses that.
func (c *card) contained(f func()) {
	defer c.tracer.Contain(trace.GatewayFault, "the gateway's own sockets")
	f()
}

func (c *card) stop() {
	close(c.done)
	c.ended.Wait()
}

// WritePackets implements stack.LinkWriter: the packets begin their journey.
func (c *card) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	for _, pkt := range pkts.AsSlice() {
		b := make([]byte, frame.EthernetHeader, frame.EthernetHeader+pkt.Size())
		for _, part := range pkt.AsSlices() {
			b = append(b, part...)
		}
		c.contained(func() { c.gateway.Originate(frame.Frame{Data: b}, time.Now()) })
	}
	return pkts.Len(), nil
}

// Capabilities: the gateway has verified the checksums of what comes in, or trusts a sender that left them out. Of what goes
// out netstack computes them, which it would not for a card with CapabilityTXChecksumOffload.
func (c *card) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload
}

// Attach implements stack.NetworkLinkEndpoint; nil takes the card out.
func (c *card) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		c.dispatcher.Store(nil)
		return
	}
	c.dispatcher.Store(&d)
}

// The rest of stack.LinkEndpoint is what a cable of plain IP packets has to say.

func (c *card) IsAttached() bool                        { return c.dispatcher.Load() != nil }
func (c *card) MTU() uint32                             { return mtu }
func (c *card) SetMTU(uint32)                           {}
func (c *card) MaxHeaderLength() uint16                 { return 0 }
func (c *card) LinkAddress() tcpip.LinkAddress          { return "" }
func (c *card) SetLinkAddress(tcpip.LinkAddress)        {}
func (c *card) Wait()                                   {}
func (c *card) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }
func (c *card) AddHeader(*stack.PacketBuffer)           {}
func (c *card) ParseHeader(*stack.PacketBuffer) bool    { return true }
func (c *card) Close()                                  {}
func (c *card) SetOnCloseAction(func())                 {}
