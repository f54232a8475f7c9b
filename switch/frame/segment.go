package frame

import "encoding/binary"

// What Linux lets a sender ask for (include/net/tcp.h: TCP_MIN_GSO_SIZE; include/linux/udp.h: UDP_MAX_SEGMENTS). It bounds
// how many frames one frame can become.
const (
	minTCPSegment  = 8   // bytes
	maxUDPSegments = 128 // of one super-frame
)

// Segmenter does for a frame what its sender has left to the network interface: it cuts a super-frame into the frames that it
// stands for, and completes checksums.
//
//	+----------+----------------------------------+
//	| Eth IP T |  payload                         |   one super-frame, HeaderLen and GSOSize as its Offload says
//	+----------+-----------+-----------+----------+
//	+----------+-----------+
//	| Eth IP T |           |                          lengths, IPv4 id + 0, TCP sequence number,          CWR
//	+----------+-----------+
//	+----------+-----------+
//	| Eth IP T |           |                          lengths, IPv4 id + 1, TCP sequence number + GSOSize
//	+----------+-----------+
//	+----------+----------+
//	| Eth IP T |          |                           lengths, IPv4 id + 2, ...                             FIN PSH
//	+----------+----------+
//
// A Segmenter belongs to one goroutine.
type Segmenter struct {
	f       Frame
	scratch []byte
	ip      int    // where the IP header stands in a super-frame
	rest    []byte // payload that is not sent yet
	number  int    // of the next segment, from 0
	done    bool
}

// Segment begins to cut f, which stays unchanged and is borrowed until the last Next; so is scratch, which must hold
// f.Offload.WireLength(len(f.Data)) bytes. It returns false for a frame that is not what its Offload says it is.
func Segment(f Frame, scratch []byte) (Segmenter, bool) {
	s := Segmenter{f: f, scratch: scratch}
	if !f.Offload.Valid(len(f.Data)) {
		return s, false
	}
	if f.Offload.GSO == GSONone {
		return s, true
	}
	s.ip = networkHeader(f.Data)
	s.rest = f.Data[f.Offload.HeaderLen:]
	return s, s.headersFit() && s.pieceFits()
}

// networkHeader returns where a frame's payload begins, behind any VLAN tags.
func networkHeader(data []byte) int {
	at := EthernetHeader
	for at+4 <= len(data) {
		if t := binary.BigEndian.Uint16(data[at-2:]); t != TypeVLAN && t != typeServiceVLAN {
			break
		}
		at += 4
	}
	return at
}

// headersFit reports whether the headers are those that the Offload speaks of, with lengths that are true of the frame.
func (s *Segmenter) headersFit() bool {
	data, o := s.f.Data, s.f.Offload
	start := int(o.ChecksumStart)
	etherType := binary.BigEndian.Uint16(data[s.ip-2:])
	transport := ProtoTCP
	if o.GSO == GSOUDPL4 {
		transport = ProtoUDP
	}
	switch {
	case etherType == TypeIPv4 && o.GSO != GSOTCPv6:
		ip, err := ParseIPv4(data[s.ip:])
		if err != nil || s.ip+len(ip) != len(data) || s.ip+ip.HeaderLen() != start || ip.Proto() != transport || ip.IsFragment() {
			return false
		}
	case etherType == TypeIPv6 && o.GSO != GSOTCPv4:
		// Between this header and the transport's there may be extensions, which are copied unread.
		if start < s.ip+IPv6Header || data[s.ip]>>4 != 6 || s.ip+IPv6Header+int(binary.BigEndian.Uint16(data[s.ip+4:])) != len(data) {
			return false
		}
	default:
		return false
	}
	checksum := uint16(TCPChecksum)
	if o.GSO == GSOUDPL4 {
		checksum = UDPChecksum
	}
	return o.ChecksumOffset == checksum && o.HeaderLen == o.SegmentHeader(data) && int(o.HeaderLen) > start
}

// pieceFits reports whether the pieces are of a size that a sender may ask for.
func (s *Segmenter) pieceFits() bool {
	if s.f.Offload.GSO == GSOUDPL4 {
		return s.f.Offload.Segments(len(s.f.Data)) <= maxUDPSegments
	}
	return s.f.Offload.GSOSize >= minTCPSegment && int(s.f.Offload.HeaderLen)-int(s.f.Offload.ChecksumStart) >= TCPHeader
}

// Next returns the next frame, or false after the last one. It has nothing left to do, and its bytes are in scratch until
// the following Next, or, if f had nothing left to do either, those of f.
func (s *Segmenter) Next() (Frame, bool) {
	switch o := s.f.Offload; {
	case s.done:
		return Frame{}, false
	case o.GSO != GSONone:
		return s.segment(), true
	case o.NeedsChecksum:
		s.done = true
		whole := Frame{Data: s.scratch[:copy(s.scratch[:len(s.f.Data)], s.f.Data)], Offload: o, Source: s.f.Source}
		whole.FinishChecksum()
		return whole, true
	default:
		s.done = true
		return Frame{Data: s.f.Data, Source: s.f.Source}, true
	}
}

// Into has the frames from now on written elsewhere, to a place that is as long as Segment asks for.
func (s *Segmenter) Into(scratch []byte) { s.scratch = scratch }

// segment makes the next frame of a super-frame.
func (s *Segmenter) segment() Frame {
	o := s.f.Offload
	header, size := int(o.HeaderLen), min(len(s.rest), int(o.GSOSize))
	data := s.scratch[:header+size]
	copy(data, s.f.Data[:header])
	copy(data[header:], s.rest)
	s.rest = s.rest[size:]
	s.done = len(s.rest) == 0

	s.setNetwork(data)
	s.setTransport(data[o.ChecksumStart:])
	s.number++
	one := Frame{Data: data, Source: s.f.Source, Offload: Offload{NeedsChecksum: true, ChecksumStart: o.ChecksumStart, ChecksumOffset: o.ChecksumOffset}}
	one.FinishChecksum()
	return one
}

// setNetwork makes the copied IP header that of one segment.
func (s *Segmenter) setNetwork(data []byte) {
	if data[s.ip]>>4 == 6 {
		binary.BigEndian.PutUint16(data[s.ip+4:], uint16(len(data)-s.ip-IPv6Header))
		return
	}
	ip := IPv4(data[s.ip:])
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[4:], ip.ID()+uint16(s.number))
	ip.SetChecksum()
}

// setTransport makes the copied TCP or UDP header that of one segment. In its checksum the pseudo-header's sum stands,
// which counts the length: the super-frame's gives place to the segment's.
func (s *Segmenter) setTransport(segment []byte) {
	o := s.f.Offload
	whole := uint16(len(s.f.Data) - int(o.ChecksumStart))
	field := segment[o.ChecksumOffset:]
	sum := UpdateChecksum(^binary.BigEndian.Uint16(field), whole, uint16(len(segment)))
	binary.BigEndian.PutUint16(field, ^sum)

	if o.GSO == GSOUDPL4 {
		binary.BigEndian.PutUint16(segment[4:], uint16(len(segment)))
		return
	}
	t := TCP(segment)
	binary.BigEndian.PutUint32(t[4:], t.Seq()+uint32(s.number)*uint32(o.GSOSize))
	if !s.done {
		t[13] &^= byte(FIN | PSH)
	}
	if s.number > 0 {
		t[13] &^= byte(CWR)
	}
}
