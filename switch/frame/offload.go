package frame

import "encoding/binary"

// Frame is an Ethernet frame on its way: its bytes, and what a sender with offload left undone in them. Passing a Frame
// lends its bytes until the callee returns; whoever keeps them clones.
type Frame struct {
	Data    []byte
	Offload Offload
	// Source says who sent it, as an opaque number: a switch writes that of the port where the frame came in, the gateway
	// puts that of the interface above it. 0: nobody knows, or the gateway itself. It is what limits go by, since one host
	// can have many addresses.
	Source uint64
	// Crossed is how many cables between switches it has crossed on its way.
	Crossed uint8
}

// Clone returns a copy that shares nothing with f.
func (f Frame) Clone() Frame {
	f.Data = append([]byte(nil), f.Data...)
	return f
}

// Packet returns the packet behind the Ethernet header, whose Offload counts from there. The bytes are those of f.
func (f Frame) Packet() Frame {
	f.Data = f.Data[EthernetHeader:]
	if f.Offload.NeedsChecksum {
		f.Offload.ChecksumStart -= EthernetHeader
	}
	if f.Offload.GSO != GSONone {
		f.Offload.HeaderLen -= EthernetHeader
	}
	return f
}

// Unfinished reports whether something is left to do before the frame can go onto a wire; see Segment.
func (f Frame) Unfinished() bool { return f.Offload.NeedsChecksum || f.Offload.GSO != GSONone }

// GSO says how a super-frame is to be cut into packets that fit the wire.
type GSO uint8

// The kinds of segmentation that a virtio-net header names (virtio 1.2, 5.1.6).
const (
	GSONone  GSO = 0
	GSOTCPv4 GSO = 1
	GSOTCPv6 GSO = 4
	GSOUDPL4 GSO = 5
)

// Offload is the part of a virtio-net header that means something between two ports. The zero value says that the
// bytes are complete: every checksum is filled in and the frame fits the wire.
type Offload struct {
	// NeedsChecksum: the sum from ChecksumStart to the end is still to be written at ChecksumStart+ChecksumOffset, where
	// the pseudo-header's sum already stands.
	NeedsChecksum bool
	// ChecksumValid: the sender vouches for the transport checksum, whatever the field holds.
	ChecksumValid bool
	// ECN: the segments of a TCP super-frame carry CWR as the header says.
	ECN bool
	// GSO and GSOSize: cut the payload into pieces of GSOSize bytes, each with a header of HeaderLen bytes.
	GSO       GSO
	GSOSize   uint16
	HeaderLen uint16
	// Both count bytes from the start of the frame.
	ChecksumStart  uint16
	ChecksumOffset uint16
}

// Segments returns for how many packets on the wire a frame of length bytes stands: 1 without segmentation offload.
func (o Offload) Segments(length int) int {
	if o.GSO == GSONone || o.GSOSize == 0 || length <= int(o.HeaderLen) {
		return 1
	}
	payload := length - int(o.HeaderLen)
	return (payload + int(o.GSOSize) - 1) / int(o.GSOSize)
}

// WireLength returns how long the longest packet on the wire is for which a frame of length bytes stands.
func (o Offload) WireLength(length int) int {
	if o.GSO == GSONone {
		return length
	}
	return min(length, int(o.HeaderLen)+int(o.GSOSize))
}

// SegmentHeader returns what HeaderLen must be, read from the super-frame itself: where the header of TCP or UDP ends. It is
// 0 if that is not inside data.
func (o Offload) SegmentHeader(data []byte) uint16 {
	start, end := int(o.ChecksumStart), 0
	switch o.GSO {
	case GSOTCPv4, GSOTCPv6:
		if start+TCPHeader <= len(data) {
			end = start + TCP(data[start:]).HeaderLen()
		}
	case GSOUDPL4:
		end = start + UDPHeader
	}
	if end > min(len(data), 1<<16-1) {
		return 0
	}
	return uint16(end)
}

// Valid reports whether the metadata can be true of a frame of length bytes: the checksum lies inside, and the segments
// have a size and a header. What is not valid must not reach a device, which would refuse it or worse.
func (o Offload) Valid(length int) bool {
	if o == (Offload{}) {
		return true
	}
	if o.NeedsChecksum && int(o.ChecksumStart)+int(o.ChecksumOffset)+2 > length {
		return false
	}
	switch o.GSO {
	case GSONone:
		return true
	case GSOTCPv4, GSOTCPv6, GSOUDPL4:
		return o.GSOSize > 0 && int(o.HeaderLen) >= EthernetHeader && int(o.HeaderLen) < length && o.NeedsChecksum
	}
	return false
}

// FinishChecksum writes the checksum that an offloading sender has left to the device (virtio 1.2, 5.1.6.2), if it has.
// The bytes change. That of a super-frame is the sum of all of it, as a capture shows it; for a wire it must be cut first.
func (f *Frame) FinishChecksum() {
	if !f.Offload.NeedsChecksum {
		return
	}
	start := int(f.Offload.ChecksumStart)
	field := f.Data[start+int(f.Offload.ChecksumOffset):]
	sum := Checksum(f.Data[start:], 0)
	if f.Offload.ChecksumOffset == UDPChecksum {
		sum = notZero(sum)
	}
	binary.BigEndian.PutUint16(field, sum)
	f.Offload = Offload{}
}
