package frame

import "encoding/binary"

// Merger puts the segments of one TCP stream together that arrived one behind the other, as the kernel does (GRO): what Segmenter cuts
// is one frame again. Only what is whole and right is put together: the segments that the super-frame stands for are the ones that
// came. It belongs to one goroutine. The zero value is empty.
type Merger struct {
	first  []byte // alone so far; borrowed
	buffer []byte // of two and more
	ip     int    // where the transport header begins
	header int    // where the payload begins
	size   int    // of each segment's payload but the last
	next   uint32 // sequence number
	number int    // of segments
	open   bool   // more may follow
}

// mostMerged is how long a frame becomes: what an IPv4 header can say, and a header of Ethernet.
const mostMerged = 1<<16 - 1 + EthernetHeader

// minMerged is the smallest segment that is worth it, in bytes of payload.
const minMerged = 128

// Begin takes a frame that has nothing left to do, which is borrowed until Frame; there must be none yet.
func (m *Merger) Begin(data []byte) {
	m.first, m.number, m.open = data, 1, false
	at, ok := streamOf(data)
	if !ok {
		return
	}
	t := TCP(data[at:])
	m.header = at + t.HeaderLen()
	if m.size = len(data) - m.header; m.size < minMerged || t.Flags() != ACK || !intact(data, at) {
		return
	}
	m.ip, m.next, m.open = at, t.Seq()+uint32(m.size), true
}

// Append takes a frame that goes on where the ones before it end; it returns false for any other.
func (m *Merger) Append(data []byte) bool {
	head := m.first
	if m.number > 1 {
		head = m.buffer
	}
	payload := len(data) - m.header
	if !m.open || payload <= 0 || payload > m.size || len(head)+payload > mostMerged || !m.alike(head[:m.header], data) || !intact(data, m.ip) {
		return false
	}
	if m.number == 1 {
		m.buffer = append(m.buffer[:0], m.first...)
	}
	m.buffer = append(m.buffer, data[m.header:]...)
	m.number++
	m.next += uint32(payload)
	flags := TCPFlags(data[m.ip+13])
	m.buffer[m.ip+13] |= byte(flags & (PSH | FIN))
	m.open = payload == m.size && flags == ACK
	return true
}

// Frame returns what was put together, and empties m. The bytes are those of the only frame, or m's own until the next one.
func (m *Merger) Frame() Frame {
	defer func() { m.first, m.open = nil, false }()
	if m.number == 1 {
		return Frame{Data: m.first}
	}
	data, at := m.buffer, m.ip
	o := Offload{NeedsChecksum: true, GSO: GSOTCPv4, GSOSize: uint16(m.size), HeaderLen: uint16(m.header),
		ChecksumStart: uint16(at), ChecksumOffset: TCPChecksum}
	if at == EthernetHeader+IPv4Header {
		ip := IPv4(data[EthernetHeader:])
		ip.SetLength()
		ip.SetChecksum()
	} else {
		o.GSO = GSOTCPv6
		binary.BigEndian.PutUint16(data[EthernetHeader+4:], uint16(len(data)-at))
	}
	binary.BigEndian.PutUint16(data[at+TCPChecksum:], fold(streamSum(data, at)))
	return Frame{Data: data, Offload: o}
}

// streamOf returns where the TCP header of a frame stands that is not a fragment and has no options of IP.
func streamOf(data []byte) (at int, ok bool) {
	e, ok := ParseEthernet(data)
	if !ok {
		return 0, false
	}
	p := e.Payload()
	switch e.Type() {
	case TypeIPv4:
		ip, err := ParseIPv4(p)
		if err != nil || len(ip) != len(p) || ip.HeaderLen() != IPv4Header || ip.IsFragment() || ip.Proto() != ProtoTCP || !ip.ChecksumOK() {
			return 0, false
		}
		at = EthernetHeader + IPv4Header
	case TypeIPv6:
		if len(p) < IPv6Header || p[0]>>4 != 6 || p[6] != ProtoTCP || IPv6Header+int(binary.BigEndian.Uint16(p[4:])) != len(p) {
			return 0, false
		}
		at = EthernetHeader + IPv6Header
	default:
		return 0, false
	}
	_, ok = ParseTCP(data[at:])
	return at, ok
}

// streamSum is the sum of a segment's pseudo-header.
func streamSum(data []byte, at int) uint32 {
	addresses := data[EthernetHeader+12 : EthernetHeader+20]
	if at == EthernetHeader+IPv6Header {
		addresses = data[EthernetHeader+8 : at]
	}
	return uint32(^Checksum(addresses, 0)) + uint32(ProtoTCP) + uint32(len(data)-at)
}

// intact verifies a segment's checksum.
func intact(data []byte, at int) bool { return Checksum(data[at:], streamSum(data, at)) == 0 }

// alike reports whether a frame has the headers of the first one but for what counts on: the lengths, identification and
// sequence number, and the checksums.
func (m *Merger) alike(first, data []byte) bool {
	at := m.ip
	if other, ok := streamOf(data); !ok || other != at || string(first[:EthernetHeader]) != string(data[:EthernetHeader]) {
		return false
	}
	a, b := first[EthernetHeader:], data[EthernetHeader:]
	if at == EthernetHeader+IPv4Header {
		counts := IPv4(b).ID() == IPv4(a).ID()+uint16(m.number) || IPv4(b).DontFragment() // then it means nothing (RFC 6864)
		if !counts || a[1] != b[1] || string(a[6:10]) != string(b[6:10]) || string(a[12:20]) != string(b[12:20]) {
			return false
		}
	} else if string(a[:4]) != string(b[:4]) || string(a[6:IPv6Header]) != string(b[6:IPv6Header]) {
		return false
	}
	t, u := TCP(first[at:]), TCP(data[at:])
	return u.Flags()&^(PSH|FIN) == ACK && u.Seq() == m.next && t.HeaderLen() == u.HeaderLen() &&
		string(t[0:4]) == string(u[0:4]) && string(t[8:13]) == string(u[8:13]) && string(t[14:16]) == string(u[14:16]) &&
		string(t[18:t.HeaderLen()]) == string(u[18:u.HeaderLen()])
}
