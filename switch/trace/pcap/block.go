package pcap

import (
	"encoding/binary"
	"fmt"
	"math"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Codes of pcapng (draft-ietf-opsawg-pcapng 4.3 and 3.5). gopacket's writer has the block but not its options.
const (
	blockStatistics     = 5
	blockEnhancedPacket = 6

	optEnd       = 0
	optComment   = 1
	optFlags     = 2 // uint32; bits 0 and 1 are the direction
	optDropCount = 4 // uint64
	optPacketID  = 5 // uint64

	optReceived = 4 // of an interface's statistics, uint64
	optMissing  = 5 // uint64: isb_ifdrop

	inbound  = 1
	outbound = 2
)

// packet appends an enhanced packet block:
//
//	type, length | interface, time high, time low | captured, original | frame, padding | options | length
//
// All of it is little-endian, as gopacket's blocks are. whole is how long the frame was; 0: as long as data.
func (c *Writer) packet(id int, e *trace.Event, data []byte, whole int) {
	le := binary.LittleEndian
	b := le.AppendUint32(c.block.AvailableBuffer(), blockEnhancedPacket)
	b = le.AppendUint32(b, 0) // the length, when it is known
	b = le.AppendUint32(b, uint32(id))
	stamp := nanoseconds(e)
	b = le.AppendUint32(b, uint32(stamp>>32))
	b = le.AppendUint32(b, uint32(stamp))
	b = le.AppendUint32(b, uint32(len(data)))
	b = le.AppendUint32(b, uint32(max(whole, len(data))))
	b = pad(append(b, data...))

	b = option(b, optComment, []byte(e.Text(c.in)))
	switch e.Hook {
	case trace.Decap, trace.Ingress:
		b = option(b, optFlags, le.AppendUint32(nil, inbound))
	case trace.Egress, trace.Encap:
		b = option(b, optFlags, le.AppendUint32(nil, outbound))
	}
	if c.lost > 0 {
		b = option(b, optDropCount, le.AppendUint64(nil, c.lost))
	}
	b = option(b, optPacketID, le.AppendUint64(nil, e.Packet))
	b = option(b, optEnd, nil)

	length := uint32(len(b) + 4)
	b = le.AppendUint32(b, length)
	le.PutUint32(b[4:8], length)
	c.block.Write(b)
}

// statistics appends an interface statistics block (4.6): what the capture holds of all interfaces so far, and what it has
// lost. It stands at the first interface, for drops.
//
//	type, length | interface, time high, time low | options | length
func (c *Writer) statistics(stamp uint64) {
	le := binary.LittleEndian
	b := le.AppendUint32(c.block.AvailableBuffer(), blockStatistics)
	b = le.AppendUint32(b, 0) // the length, when it is known
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, uint32(stamp>>32))
	b = le.AppendUint32(b, uint32(stamp))
	b = option(b, optComment, fmt.Appendf(nil, "this capture holds %d steps so far, and %d more are missing: the reader was slower than the network",
		c.written, c.missing))
	b = option(b, optReceived, le.AppendUint64(nil, c.written+c.missing))
	b = option(b, optMissing, le.AppendUint64(nil, c.missing))
	b = option(b, optEnd, nil)
	length := uint32(len(b) + 4)
	b = le.AppendUint32(b, length)
	le.PutUint32(b[4:8], length)
	c.block.Write(b)
}

// option appends an option: code, length, value, padding.
func option(b []byte, code uint16, value []byte) []byte {
	value = value[:min(len(value), math.MaxUint16)]
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

// pad fills b up to a multiple of four.
func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

// nanoseconds is the event's time since 1970; a virtual clock may begin before that, where pcapng has no stamps.
func nanoseconds(e *trace.Event) uint64 {
	if e.Time.Unix() < 0 {
		return 0
	}
	return uint64(e.Time.UnixNano())
}

// complete returns the frame's bytes with the checksum filled in that its sender left to the hardware; borrowed bytes
// stay as they are. A frame that is cut before its end cannot be completed: its checksum covers what is not there.
func (c *Writer) complete(e *trace.Event) []byte {
	f := e.Frame
	at := int(f.Offload.ChecksumStart) + int(f.Offload.ChecksumOffset)
	if !f.Offload.NeedsChecksum || at+2 > len(f.Data) || e.Length > len(f.Data) {
		return f.Data
	}
	c.data = append(c.data[:0], f.Data...)
	f.Data = c.data
	f.FinishChecksum()
	return f.Data
}

// outer appends what a tunnel sends or gets: the frame in its outer packet. A super-frame travels in many, one a segment.
func (c *Writer) outer(id int, e *trace.Event) {
	whole := max(e.Length, len(e.Frame.Data))
	segments, ok := frame.Segmenter{}, false
	if e.Frame.Offload.GSO != frame.GSONone && len(e.Frame.Data) == whole {
		segments, ok = frame.Segment(e.Frame, make([]byte, e.Frame.Offload.WireLength(whole)))
	}
	if !ok {
		data := c.complete(e)
		packet := e.Outer.Append(nil, data, whole)
		c.packet(id, e, packet, len(packet)-len(data)+whole)
		return
	}
	for one, more := segments.Next(); more; one, more = segments.Next() {
		c.packet(id, e, e.Outer.Append(nil, one.Data, len(one.Data)), 0)
		c.lost = 0
	}
}
