package vswitch

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// What a frame says above Ethernet and others would believe: who has an address, who is a router, who gives addresses away. The
// switch notes the first (claims.go). The guards of a port keep what is not for a host to say from going on:
//
//	RAGuard     router advertisements (RFC 6105), however they are hidden (RFC 7113)
//	NDGuard     neighbour discovery in the name of an address that is somebody else's; in fragments nobody believes it (RFC 6980)
//	DHCPGuard   answers of DHCP servers, of either family
//
// A port with guards lets nothing pass of which its headers do not tell what it is: an extension header that is cut short, or a
// first fragment that ends before it comes to the point (RFC 7112). VLAN tags hide nothing: a receiver takes tags of VLAN 0 off.

// The ports where clients of DHCP hear servers and relays, and nobody else (RFC 2131 4.1, RFC 8415 7.2).
const (
	dhcpClient   = 68
	dhcpv6Client = 546
)

// inspect reads what a frame that came from p, nil for the local station, says, and returns why it goes no further.
func (s *Switch) inspect(p *Port, e frame.Ethernet, f frame.Frame, j *trace.Journey, now time.Time) trace.Reason {
	etherType, b := e.Untagged()
	switch etherType {
	case frame.TypeARP:
		if a, ok := frame.ParseARP(b); ok && e.Type() == frame.TypeARP {
			s.claimed(a.SenderIP(), a.SenderMAC(), p, f, j, now)
		}
	case frame.TypeIPv6:
		return s.inspectIPv6(p, e, b, f, j, now)
	case frame.TypeIPv4:
		if p.may().DHCPGuard {
			return inspectIPv4(b)
		}
	}
	return trace.NoReason
}

// inspectIPv6 is inspect for an IPv6 packet.
func (s *Switch) inspectIPv6(p *Port, e frame.Ethernet, b []byte, f frame.Frame, j *trace.Journey, now time.Time) trace.Reason {
	k := p.may()
	ip, ok := frame.ParseClippedIPv6(b)
	if !ok || !ip.HasExtensions() && ip[6] != frame.ProtoICMPv6 && !k.DHCPGuard {
		return trace.NoReason
	}
	proto, payload, whole := ip.Upper()
	switch {
	case !whole:
		return guarded(k.guards(), trace.ExtensionChain)
	case ip.FragmentOffset() > 0, proto != frame.ProtoICMPv6 && (proto != frame.ProtoUDP || !k.DHCPGuard):
		return trace.NoReason
	case len(payload) < frame.ICMPHeader: // as long as UDP's
		return guarded(k.guards() && ip.MoreFragments(), trace.ExtensionChain)
	case proto == frame.ProtoUDP:
		return guarded(frame.UDP(payload).DstPort() == dhcpv6Client, trace.DHCPGuard)
	case k.RAGuard && payload[0] == frame.ICMPv6RouterAdvert:
		return trace.RAGuard
	case k.NDGuard && ip.IsFragment() && frame.IsND(payload):
		return trace.NDFragment
	}
	addr, mac := ip.NDClaim(payload)
	if mac == (frame.MAC{}) {
		mac = e.Src()
	}
	others := s.claimed(addr, mac, p, f, j, now)
	if local := s.local.Load(); p != nil && local != nil {
		others = others || local.station.Has(addr)
	}
	return guarded(k.NDGuard && others, trace.NDGuard)
}

// inspectIPv4 is inspect for an IPv4 packet: it looks for the answers of a DHCP server.
func inspectIPv4(b []byte) trace.Reason {
	ip, ok := frame.ParseClippedIPv4(b)
	if !ok || ip.Proto() != frame.ProtoUDP || ip.FragmentOffset() > 0 {
		return trace.NoReason
	}
	u, ok := frame.ParseUDP(ip.Payload())
	return guarded(ok && u.DstPort() == dhcpClient, trace.DHCPGuard)
}

// guarded returns the reason where it holds.
func guarded(holds bool, r trace.Reason) trace.Reason {
	if holds {
		return r
	}
	return trace.NoReason
}

// none are the flags of the local port, as far as guards go.
var none PortFlags

// may returns the flags of a port that may be nil, the local one.
func (p *Port) may() *PortFlags {
	if p == nil {
		return &none
	}
	return p.flags.Load()
}

// guards reports whether there is any.
func (k PortFlags) guards() bool { return k.RAGuard || k.NDGuard || k.DHCPGuard }
