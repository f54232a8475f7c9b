package trace

import (
	"encoding/binary"
	"strconv"

	"uswitch/switch/frame"
)

// jsonTuple has ports where the protocol has ports and the packet shows them; an ICMP message has its type and code, and an
// identifier if it is a query's.
type jsonTuple struct {
	Proto   string  `json:"proto"`
	Src     string  `json:"src"`
	SrcPort *uint16 `json:"sport,omitempty"`
	Dst     string  `json:"dst"`
	DstPort *uint16 `json:"dport,omitempty"`
	Type    *uint8  `json:"type,omitempty"`
	Code    *uint8  `json:"code,omitempty"`
	ID      *uint16 `json:"id,omitempty"`
}

// jsonARP is what an ARP packet asks or answers: op is request, reply or a number, src and dst are the IP addresses of the
// sender and of the target.
type jsonARP struct {
	Op  string `json:"op"`
	Src string `json:"src"`
	Dst string `json:"dst"`
}

// addressed returns whom the event's frame is from and to, as the network layer has it: before on every IP packet, after
// besides on one that is rewritten, arp on an ARP packet. A VLAN tag in front is passed over.
func (e *Event) addressed() (before, after *jsonTuple, arp *jsonARP) {
	etherType, payload, _ := e.layers()
	if etherType == frame.TypeVLAN && len(payload) >= 4 {
		etherType, payload = binary.BigEndian.Uint16(payload[2:]), payload[4:]
	}
	switch etherType {
	case frame.TypeARP:
		if a, ok := frame.ParseARP(payload); ok {
			arp = &jsonARP{Op: opName(a.Op()), Src: a.SenderIP().String(), Dst: a.TargetIP().String()}
		}
		return nil, nil, arp
	case frame.TypeIPv6:
		if p, ok := parseIPv6(payload); ok {
			before = ipv6JSON(p)
		}
		return before, nil, nil
	}
	p, shown := frame.IPv4(nil), false
	if etherType == frame.TypeIPv4 {
		p, shown = frame.ParseClippedIPv4(payload)
	}
	t := e.Before
	if t == (frame.Tuple{}) && shown {
		t, _ = frame.TupleOf(p)
	}
	return tupleJSON(t, p), tupleJSON(e.After, p), nil
}

func opName(op uint16) string {
	switch op {
	case frame.ARPRequest:
		return "request"
	case frame.ARPReply:
		return "reply"
	}
	return strconv.Itoa(int(op))
}

// tupleJSON writes a tuple of the packet p, which is nil if its bytes are not there.
func tupleJSON(t frame.Tuple, p frame.IPv4) *jsonTuple {
	if t == (frame.Tuple{}) {
		return nil
	}
	j := &jsonTuple{Proto: frame.ProtoName(t.Proto), Src: t.Src().String(), Dst: t.Dst().String()}
	var transport []byte
	whole := p == nil || p.FragmentOffset() == 0
	if p != nil && whole {
		transport = p.Payload()
	}
	switch {
	case t.HasPorts() && whole:
		j.SrcPort, j.DstPort = &t.SrcPort, &t.DstPort
	case t.Proto == frame.ProtoICMP && p == nil:
		j.ID = &t.SrcPort
	case t.Proto == frame.ProtoICMP && len(transport) >= 2:
		kind, code := transport[0], transport[1]
		j.Type, j.Code = &kind, &code
		if m, ok := frame.ParseICMP(transport); ok && m.IsQuery() {
			j.ID = &t.SrcPort
		}
	}
	return j
}

// ipv6JSON is tupleJSON of an IPv6 packet, which nobody here translates.
func ipv6JSON(p ipv6) *jsonTuple {
	j := &jsonTuple{Proto: frame.ProtoName(p.proto), Src: p.src.String(), Dst: p.dst.String()}
	if src, dst, ok := p.ports(); ok {
		j.SrcPort, j.DstPort = &src, &dst
	}
	if p.proto == protoICMPv6 {
		j.Proto = "icmpv6"
		if !p.later && len(p.payload) >= 8 {
			kind, code, id := p.payload[0], p.payload[1], binary.BigEndian.Uint16(p.payload[4:])
			j.Type, j.Code = &kind, &code
			if kind == 128 || kind == 129 {
				j.ID = &id
			}
		}
	}
	return j
}
