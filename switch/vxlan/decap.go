package vxlan

import (
	"encoding/binary"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// arrive hands a frame to the switch: what it came in tells where its sender lives. outer is that of its first packet.
func (l *Link) arrive(f frame.Frame, outer trace.Outer, now time.Time) {
	l.came = arrived{outer: outer, frame: f}
	if e, ok := frame.ParseEthernet(f.Data); ok && l.learning.Load() && e.Src().IsStation() {
		l.came.mac = e.Src()
		l.came.note, l.came.before = l.table.learn(e.Src(), outer.Src.Addr(), l.age(now))
	}
	l.deliver(f, now)
}

// Decap tells on the journey of the frame that was handed to the switch last how it came.
func (l *Link) Decap(j *trace.Journey) {
	c := &l.came
	e := trace.Event{Hook: trace.Decap, Verdict: trace.Accept, Note: c.note, MAC: c.mac, Outer: c.outer, Where: l.where, Port: l.name, Frame: c.frame}
	if c.note == trace.TunnelMoved {
		e.Addr = c.before
	}
	j.Emit(e)
}

// merger puts the segments of one TCP stream together that arrived one behind the other, as the kernel does (GRO): one frame goes
// through the switch, and one is written to the host's interface. Only what is whole and right is put together: the segments that the
// super-frame stands for are the ones that came. It belongs to one goroutine.
type merger struct {
	to     *Link
	outer  trace.Outer
	first  []byte // alone so far: the bytes of the Arrival
	buffer []byte // of two and more
	ip     int    // where the transport header begins, 0: the frame takes no more
	header int    // where the payload begins
	size   int    // of each segment's payload but the last
	next   uint32 // sequence number
	number int    // of segments
}

// mostMerged is how long a frame becomes: what an IPv4 header can say, and a header of Ethernet.
const mostMerged = 1<<16 - 1 + frame.EthernetHeader

// add takes the next frame.
func (m *merger) add(l *Link, data []byte, a *Arrival, now time.Time) {
	if m.to == l && m.ip > 0 && m.outer.Src == a.From && m.outer.TOS == a.TOS && m.append(data) {
		return
	}
	m.flush(now)
	m.to, m.outer, m.first, m.number = l, l.outer(a, l.vni), data, 1
	m.begin(data)
}

// flush hands over what waits.
func (m *merger) flush(now time.Time) {
	l := m.to
	if l == nil {
		return
	}
	m.to = nil
	f := frame.Frame{Data: m.first}
	if m.number > 1 {
		f = m.whole()
	}
	l.arrive(f, m.outer, now)
}

// begin looks whether the frame may be the first of several.
func (m *merger) begin(data []byte) {
	m.ip, m.header = 0, 0
	ip, ok := streamOf(data)
	if !ok {
		return
	}
	t := frame.TCP(data[ip:])
	m.header = ip + t.HeaderLen()
	if m.size = len(data) - m.header; m.size < minMerged || t.Flags() != frame.ACK || !intact(data, ip) {
		return
	}
	m.ip, m.next = ip, t.Seq()+uint32(m.size)
}

// minMerged is the smallest segment that is worth it, in bytes of payload.
const minMerged = 128

// streamOf returns where the TCP header of a frame stands that is not a fragment and has no options of IP.
func streamOf(data []byte) (at int, ok bool) {
	e, ok := frame.ParseEthernet(data)
	if !ok {
		return 0, false
	}
	p := e.Payload()
	switch e.Type() {
	case frame.TypeIPv4:
		ip, err := frame.ParseIPv4(p)
		if err != nil || len(ip) != len(p) || ip.HeaderLen() != frame.IPv4Header || ip.IsFragment() || ip.Proto() != frame.ProtoTCP || !ip.ChecksumOK() {
			return 0, false
		}
		at = frame.EthernetHeader + frame.IPv4Header
	case frame.TypeIPv6:
		if len(p) < frame.IPv6Header || p[0]>>4 != 6 || p[6] != frame.ProtoTCP || frame.IPv6Header+int(binary.BigEndian.Uint16(p[4:])) != len(p) {
			return 0, false
		}
		at = frame.EthernetHeader + frame.IPv6Header
	default:
		return 0, false
	}
	_, ok = frame.ParseTCP(data[at:])
	return at, ok
}

// pseudo is the sum of a segment's pseudo-header, for a segment of that many bytes.
func pseudo(data []byte, at, length int) uint32 {
	addresses := data[frame.EthernetHeader+12 : frame.EthernetHeader+20]
	if at == frame.EthernetHeader+frame.IPv6Header {
		addresses = data[frame.EthernetHeader+8 : at]
	}
	return uint32(^frame.Checksum(addresses, 0)) + uint32(frame.ProtoTCP) + uint32(length)
}

// intact verifies the segment's checksum.
func intact(data []byte, at int) bool {
	return frame.Checksum(data[at:], pseudo(data, at, len(data)-at)) == 0
}

// append takes a frame that goes on where the ones before it end.
func (m *merger) append(data []byte) bool {
	head := m.first
	if m.number > 1 {
		head = m.buffer
	}
	payload := len(data) - m.header
	if payload <= 0 || payload > m.size || len(head)+payload > mostMerged || !m.alike(head[:m.header], data, m.number) || !intact(data, m.ip) {
		return false
	}
	if m.number == 1 {
		m.buffer = append(m.buffer[:0], m.first...)
	}
	m.buffer = append(m.buffer, data[m.header:]...)
	m.number++
	m.next += uint32(payload)
	flags := frame.TCPFlags(data[m.ip+13])
	if m.buffer[m.ip+13] |= byte(flags & (frame.PSH | frame.FIN)); payload < m.size || flags != frame.ACK {
		m.ip = -m.ip // it was the last
	}
	return true
}

// alike reports whether a frame has the headers of the first one but for what counts on: the lengths, identification and
// sequence number, and the checksums. number is its place.
func (m *merger) alike(first, data []byte, number int) bool {
	at := m.ip
	if ip, ok := streamOf(data); !ok || ip != at || string(first[:frame.EthernetHeader]) != string(data[:frame.EthernetHeader]) {
		return false
	}
	if at == frame.EthernetHeader+frame.IPv4Header {
		a, b := first[frame.EthernetHeader:], data[frame.EthernetHeader:]
		counts := frame.IPv4(b).ID() == frame.IPv4(a).ID()+uint16(number) || frame.IPv4(b).DontFragment() // then it means nothing (RFC 6864)
		if !counts || a[1] != b[1] || string(a[6:10]) != string(b[6:10]) || string(a[12:20]) != string(b[12:20]) {
			return false
		}
	} else if string(first[frame.EthernetHeader:frame.EthernetHeader+4]) != string(data[frame.EthernetHeader:frame.EthernetHeader+4]) ||
		string(first[frame.EthernetHeader+6:at]) != string(data[frame.EthernetHeader+6:at]) {
		return false
	}
	t, u := frame.TCP(first[at:]), frame.TCP(data[at:])
	return u.Flags()&^(frame.PSH|frame.FIN) == frame.ACK && u.Seq() == m.next && t.HeaderLen() == u.HeaderLen() &&
		string(t[0:4]) == string(u[0:4]) && string(t[8:13]) == string(u[8:13]) && string(t[14:16]) == string(u[14:16]) &&
		string(t[18:t.HeaderLen()]) == string(u[18:u.HeaderLen()])
}

// whole returns the super-frame.
func (m *merger) whole() frame.Frame {
	at := m.ip
	if at < 0 {
		at = -at
	}
	data := m.buffer
	o := frame.Offload{NeedsChecksum: true, GSO: frame.GSOTCPv4, GSOSize: uint16(m.size), HeaderLen: uint16(m.header),
		ChecksumStart: uint16(at), ChecksumOffset: frame.TCPChecksum}
	if at == frame.EthernetHeader+frame.IPv4Header {
		ip := frame.IPv4(data[frame.EthernetHeader:])
		ip.SetLength()
		ip.SetChecksum()
	} else {
		o.GSO = frame.GSOTCPv6
		binary.BigEndian.PutUint16(data[frame.EthernetHeader+4:], uint16(len(data)-at))
	}
	sum := pseudo(data, at, len(data)-at)
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(data[at+frame.TCPChecksum:], uint16(sum))
	return frame.Frame{Data: data, Offload: o}
}
