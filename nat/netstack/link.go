package netstack

import (
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"uswitch/switch/frame"
)

// link is the end of the cable at netstack's side (stack.LinkEndpoint). Both directions are direct calls: netstack may send
// while it holds the lock of a connection, and the gateway may answer at once by calling netstack again. A segment may come in
// that way, because it is only queued for its connection; an ICMP error may not, see InputLater.
type link struct {
	config     Config
	dispatcher atomic.Pointer[stack.NetworkDispatcher] // nil before the interface is in use and after
	sending    atomic.Int32                            // calls of WritePackets that have not returned
}

// gsoMaxSize is how large a super-frame of netstack's may get, in bytes: with its headers it must fit an IP packet.
const gsoMaxSize = 65000

var (
	_ stack.LinkEndpoint = (*link)(nil)
	_ stack.GSOEndpoint  = (*link)(nil)
)

// packets are large enough for any IP packet behind room for an Ethernet header.
var packets = sync.Pool{New: func() any { return new([frame.EthernetHeader + 1<<16]byte) }}

// WritePackets implements stack.LinkWriter: it hands packets to the gateway. A fault there is a lost packet to netstack, whose
// locks are held and whose goroutine it may be.
func (l *link) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	l.sending.Add(1)
	defer l.sending.Add(-1)
	b := packets.Get().(*[frame.EthernetHeader + 1<<16]byte)
	defer packets.Put(b)
	for _, pkt := range pkts.AsSlice() {
		n := frame.EthernetHeader
		for _, part := range pkt.AsSlices() {
			n += copy(b[n:], part)
		}
		l.config.Contain(func() { l.config.Send(frame.Frame{Data: b[:n], Offload: offload(pkt)}) })
	}
	return pkts.Len(), nil
}

// offload says in the frame's terms what netstack has left to do.
func offload(pkt *stack.PacketBuffer) frame.Offload {
	o := pkt.GSOOptions
	kind := frame.GSOTCPv4
	switch o.Type {
	case stack.GSOTCPv4:
	case stack.GSOTCPv6:
		kind = frame.GSOTCPv6
	default:
		return frame.Offload{}
	}
	transport := frame.EthernetHeader + o.L3HdrLen
	f := frame.Offload{NeedsChecksum: o.NeedsCsum, ChecksumStart: transport, ChecksumOffset: o.CsumOffset}
	if o.MSS > 0 && pkt.Data().Size() > int(o.MSS) {
		f.GSO, f.GSOSize = kind, o.MSS
		f.HeaderLen = transport + uint16(len(pkt.TransportHeader().Slice()))
	}
	return f
}

// deliver hands a packet to netstack, which keeps a copy.
func (l *link) deliver(pkt *stack.PacketBuffer) {
	if d := l.dispatcher.Load(); d != nil {
		if version, ok := pkt.Data().PullUp(1); ok {
			(*d).DeliverNetworkPacket(tcpip.NetworkProtocolNumber(frame.IP(version).EtherType()), pkt)
		}
	}
}

// Capabilities: the gateway has verified the checksums of what comes in, or trusts a sender that left them out. Of what goes
// out netstack computes them, which it would not for an interface with CapabilityTXChecksumOffload, even of packets that carry
// no request to complete them.
func (l *link) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload
}

// GSOMaxSize and SupportedGSO implement stack.GSOEndpoint.
func (l *link) GSOMaxSize() uint32 { return gsoMaxSize }

// SupportedGSO says whether the gateway takes super-frames.
func (l *link) SupportedGSO() stack.SupportedGSO {
	if l.config.GSO {
		return stack.HostGSOSupported
	}
	return stack.GSONotSupported
}

// Attach implements stack.NetworkLinkEndpoint; nil takes the interface out.
func (l *link) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		l.dispatcher.Store(nil)
		return
	}
	l.dispatcher.Store(&d)
}

// The rest of stack.LinkEndpoint is what a cable of plain IP packets has to say.

func (l *link) IsAttached() bool                        { return l.dispatcher.Load() != nil }
func (l *link) MTU() uint32                             { return uint32(l.config.MTU) }
func (l *link) SetMTU(uint32)                           {}
func (l *link) MaxHeaderLength() uint16                 { return 0 }
func (l *link) LinkAddress() tcpip.LinkAddress          { return "" }
func (l *link) SetLinkAddress(tcpip.LinkAddress)        {}
func (l *link) Wait()                                   {}
func (l *link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }
func (l *link) AddHeader(*stack.PacketBuffer)           {}
func (l *link) ParseHeader(*stack.PacketBuffer) bool    { return true }
func (l *link) Close()                                  {}
func (l *link) SetOnCloseAction(func())                 {}
