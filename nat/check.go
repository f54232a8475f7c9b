package nat

import (
	"errors"
	"net/netip"

	"uswitch/nat/conntrack"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// parse looks at the IP header and cuts off Ethernet padding.
func (p *packet) parse() trace.Reason {
	b := p.f.Data[frame.EthernetHeader:]
	if p.etherType != 0 && len(b) > 0 && frame.IP(b).EtherType() != p.etherType {
		return trace.IPHeader
	}
	ip, err := frame.ParseIP(b)
	switch {
	case errors.Is(err, frame.ErrShortIPv4), errors.Is(err, frame.ErrShortIPv6):
		return trace.PktTooSmall
	case errors.Is(err, frame.ErrIPv6Chain):
		return trace.ExtensionChain
	case err != nil:
		return trace.IPHeader
	case ip.Is4() && !frame.IPv4(ip).ChecksumOK():
		return trace.IPChecksum
	}
	p.ip = ip
	p.f.Data = p.f.Data[:frame.EthernetHeader+len(ip)]
	if !p.offloadOK() {
		return trace.BadOffload
	}
	return trace.NoReason
}

// offloadOK reports whether the checksum that the sender has left to the device is the transport's, or lies behind the
// transport header in a packet that is tunnelled: nothing that rules have read may change when it is written.
func (p *packet) offloadOK() bool {
	o := &p.f.Offload
	behind := int(o.ChecksumStart) - frame.EthernetHeader - p.ip.HeaderLen()
	switch proto := p.ip.Proto(); {
	case !o.Valid(len(p.f.Data)):
		return false
	case !o.NeedsChecksum:
		return true
	case proto == frame.ProtoTCP:
		return behind == 0 && o.ChecksumOffset == frame.TCPChecksum
	case proto == frame.ProtoUDP:
		return behind == 0 && o.ChecksumOffset == frame.UDPChecksum || behind >= frame.UDPHeader
	case frame.IsICMP(proto):
		return false
	}
	return behind >= 0
}

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	reserved    = netip.MustParsePrefix("240.0.0.0/4")
	linkGroups  = netip.MustParsePrefix("224.0.0.0/24") // RFC 5771 4
	everyone    = netip.AddrFrom4([4]byte{255, 255, 255, 255})
)

// protoIGMP is IGMP's number (RFC 3376 4).
const protoIGMP = 2

// martian reports whether nobody can have sent such a packet from where it came (RFC 1812 5.3.7, RFC 2827, RFC 3704 2.2:
// strict reverse path). Who has no address yet may ask everyone, and say to a group of this network that it is one of it
// (ip_route_input_slow and ip_mc_validate_source in net/ipv4/route.c). On a network where the gateway has no address there
// is no route back to anybody.
func (v *view) martian(p *packet) trace.Reason {
	if !p.ip.Is4() {
		return v.martian6(p)
	}
	src, dst := p.ip.Src(), p.ip.Dst()
	switch {
	case thisNetwork.Contains(src) && (dst == everyone || linkGroups.Contains(dst) || dst.IsMulticast() && p.ip.Proto() == protoIGMP):
		return trace.NoReason
	case p.in.config.Shared && p.in.own.Load().Has(src):
		return trace.NoReason // the host that shares the address
	case src.IsLoopback(), src.IsMulticast(), thisNetwork.Contains(src), reserved.Contains(src), src == dst:
		return trace.Martian
	case dst.IsLoopback(), thisNetwork.Contains(dst), reserved.Contains(dst) && dst != everyone:
		return trace.Martian
	case v.local[src] != nil:
		return trace.OwnSource
	case p.in.uplink == nil && !p.in.Addr().IsValid() && (dst == everyone || dst.IsMulticast()):
		return trace.NoReason
	case p.in.uplink == nil && !p.in.Addr().IsValid():
		return trace.NoAddress
	}
	return v.wayBack(p, src)
}

// wayBack is the strict reverse path: what comes from an address comes in where the route to it leads.
func (v *view) wayBack(p *packet, src netip.Addr) trace.Reason {
	back, ok := v.routes.Lookup(src)
	switch {
	case !ok || back.Dev != p.in:
		return trace.SpoofedSource
	case src == frame.BroadcastOf(back.Prefix):
		return trace.Martian
	}
	return trace.NoReason
}

// martian6 is martian for IPv6 (RFC 4291 2.5, 2.7; RFC 6092 REC-1 to 5). Who has no address yet may say no more than what
// stations of a link say to find out whether they may have one.
func (v *view) martian6(p *packet) trace.Reason {
	src, dst := p.ip.Src(), p.ip.Dst()
	switch {
	case src.IsUnspecified() && dst.IsLinkLocalMulticast() && p.ip.IsLinkSignal():
		return trace.NoReason
	case src.IsUnspecified(), src.IsLoopback(), src.IsMulticast(), src.Is4In6(), src == dst:
		return trace.Martian
	case dst.IsUnspecified(), dst.IsLoopback(), dst.Is4In6(), dst.IsInterfaceLocalMulticast(), dst.IsMulticast() && dst.As16()[1]&15 == 0:
		return trace.Martian
	case v.local[src] != nil, p.in.own.Load().Has(src):
		return trace.OwnSource
	case src.IsLinkLocalUnicast() && p.in.uplink == nil:
		return trace.NoReason
	}
	return v.wayBack(p, src)
}

// isShared reports whether a packet for an address of the gateway's is for the host that shares it.
func (v *view) isShared(p *packet) bool {
	iface := v.local[p.ip.Dst()]
	return iface != nil && iface.config.Shared && p.in != iface && p.tuple.HasPorts()
}

// isLocal reports whether a packet ends at the gateway: for one of its addresses, for everyone on the network it came
// from, or for a group. A broadcast to another network is nobody's and dropped on the route (RFC 2644).
func (v *view) isLocal(p *packet) bool {
	dst := p.ip.Dst()
	return v.local[dst] != nil || dst == everyone || dst.IsMulticast() && (p.in != nil || p.ip.Is4()) ||
		p.in != nil && (p.in.everyone(dst) || dst.IsLinkLocalUnicast() && p.in.own.Load().Has(dst))
}

// toMany reports whether a packet was meant for more than one receiver, on the wire or by its address. No error and no
// reset may answer it (RFC 1122 3.2.2, 4.2.3.10).
func (p *packet) toMany() bool {
	dst := p.ip.Dst()
	return p.toGroup || dst == everyone || dst.IsMulticast() || p.in != nil && p.in.everyone(dst)
}

// checkHeaders looks at what stands between the header and the transport's. What is malformed, or not known though it must
// be, is answered with Parameter Problem: code, and at where in the packet the trouble begins.
func checkHeaders(ip frame.IP) (r trace.Reason, code uint8, at int) {
	if ip.Is4() {
		r, at = checkOptions(frame.IPv4(ip))
		return r, 0, at
	}
	return checkExtensions(frame.IPv6(ip))
}

// checkOptions walks the IP options. Source routes are refused (RFC 7126 4.3, 4.4), what is malformed is answered with
// Parameter Problem, the rest passes unread. at is where in the header the trouble begins.
func checkOptions(ip frame.IPv4) (r trace.Reason, at int) {
	header := ip[:ip.HeaderLen()]
	for at = frame.IPv4Header; at < len(header); {
		options := header[at:]
		switch kind := options[0]; {
		case kind == 0:
			return trace.NoReason, 0
		case kind == 1:
			at++
			continue
		case len(options) < 2 || options[1] < 2 || int(options[1]) > len(options):
			return trace.IPOptions, at
		case kind == 131 || kind == 137: // loose and strict source route
			return trace.SourceRoute, at
		}
		at += int(options[1])
	}
	return trace.NoReason, 0
}

// Codes of ICMPv6's Parameter Problem (RFC 4443 3.4).
const (
	unknownHeader = 1
	unknownOption = 2
)

// checkExtensions walks IPv6's extension headers: those that a router on the way has to look at (RFC 8200 4.3). A routing header
// of type 0 is refused as a source route is (RFC 5095).
func checkExtensions(ip frame.IPv6) (r trace.Reason, code uint8, at int) {
	if !ip.HasExtensions() {
		return trace.NoReason, 0, 0
	}
	ip.Extensions(func(e frame.Extension) bool {
		switch {
		case e.Proto == frame.ProtoHopByHop && e.Start != frame.IPv6Header:
			r, code, at = trace.IPOptions, unknownHeader, e.Start // it stands first, or nowhere
		case e.Proto == frame.ProtoHopByHop:
			r, code, at = checkHopByHop(ip, e)
		case e.Proto == frame.ProtoRouting && ip[e.Start+2] == 0 && ip[e.Start+3] > 0:
			r, at = trace.SourceRoute, e.Start
		}
		return r == trace.NoReason
	})
	return r, code, at
}

// checkHopByHop walks the options that every router looks at. What to do with one that is not known, its two highest bits say
// (RFC 8200 4.2).
func checkHopByHop(ip frame.IPv6, e frame.Extension) (r trace.Reason, code uint8, at int) {
	for at = e.Start + 2; at < e.End; {
		kind := ip[at]
		switch {
		case kind == 0:
			at++
			continue
		case at+2 > e.End || at+2+int(ip[at+1]) > e.End:
			return trace.IPOptions, 0, at
		case kind == jumboPayload:
			return trace.IPOptions, 0, at
		case kind>>6 != 0 && !knownOptions[kind]:
			return trace.IPOptions, unknownOption, at
		}
		at += 2 + int(ip[at+1])
	}
	return trace.NoReason, 0, 0
}

// jumboPayload is the option of packets longer than any network here carries (RFC 2675).
const jumboPayload = 0xc2

// knownOptions are those that mean nothing to a router here, though their numbers ask it to know them (RFC 9486, RFC 8883).
var knownOptions = map[byte]bool{0x31: true}

// readTransport looks at the transport header, so that no later step reads behind its end, and verifies the checksums
// that the gateway itself relies on: ICMP's. A TCP or UDP checksum is its receiver's business.
func (p *packet) readTransport() trace.Reason {
	p.tuple, p.hasTuple = p.ip.Tuple()
	p.segment = conntrack.ReadSegment(p.ip)
	payload := p.ip.Payload()
	switch p.ip.Proto() {
	case frame.ProtoICMP, frame.ProtoICMPv6:
		if !p.ip.IsICMP() {
			return trace.NoReason // of the other family: nobody's message
		}
		if _, ok := p.ip.ICMP(); !ok || !p.ip.ICMPChecksumOK() {
			return trace.BadICMP
		}
	case frame.ProtoUDP:
		u, ok := frame.ParseUDP(payload)
		if !ok || u.Length() < frame.UDPHeader || u.Length() > len(payload) {
			return trace.BadL4
		}
	case frame.ProtoUDPLite, frame.ProtoSCTP, frame.ProtoDCCP:
		if !p.hasTuple {
			return trace.BadL4
		}
	case frame.ProtoTCP:
		t, ok := frame.ParseTCP(payload)
		if !ok || t.SrcPort() == 0 || t.DstPort() == 0 {
			return trace.BadL4
		}
	}
	return trace.NoReason
}
