package tap

import (
	"encoding/binary"

	"uswitch/switch/frame"
)

// virtioHeader is the header in front of each frame of a TAP with offload (virtio 1.2, 5.1.6, struct virtio_net_hdr; its
// numbers are the machine's own, for TUNSETVNETLE is not set):
//
//	0       1          2         4          6            8             10
//	+-------+----------+---------+----------+------------+-------------+----------
//	| flags | GSO type | hdr_len | gso_size | csum_start | csum_offset | frame
//	+-------+----------+---------+----------+------------+-------------+----------
type virtioHeader [virtioSize]byte

const virtioSize = 10

// Bits of the flags, and the one that is added to the GSO type.
const (
	virtioNeedsChecksum = 1
	virtioChecksumValid = 2
	virtioECN           = 0x80
)

// encode writes what is to be done to a frame.
func (h *virtioHeader) encode(o frame.Offload) {
	*h = virtioHeader{}
	if o.ChecksumValid {
		h[0] = virtioChecksumValid
	}
	if o.NeedsChecksum {
		h[0] |= virtioNeedsChecksum
		binary.NativeEndian.PutUint16(h[6:], o.ChecksumStart)
		binary.NativeEndian.PutUint16(h[8:], o.ChecksumOffset)
	}
	if o.GSO == frame.GSONone {
		return
	}
	h[1] = byte(o.GSO)
	if o.ECN {
		h[1] |= virtioECN
	}
	binary.NativeEndian.PutUint16(h[2:], o.HeaderLen)
	binary.NativeEndian.PutUint16(h[4:], o.GSOSize)
}

// decode reads what is to be done to a frame. It believes everything: Offload.Valid says later whether it can be true.
//
// Only hdr_len is not taken from the header, for Linux writes there how much of the frame it happened to hold in one piece
// (virtio_net_hdr_from_skb), but from the frame itself.
func decode(header, data []byte) frame.Offload {
	if header[0] == 0 && header[1] == 0 {
		return frame.Offload{}
	}
	o := frame.Offload{
		NeedsChecksum: header[0]&virtioNeedsChecksum != 0,
		ChecksumValid: header[0]&virtioChecksumValid != 0,
	}
	if o.NeedsChecksum {
		o.ChecksumStart = binary.NativeEndian.Uint16(header[6:])
		o.ChecksumOffset = binary.NativeEndian.Uint16(header[8:])
	}
	if o.GSO = frame.GSO(header[1] &^ virtioECN); o.GSO != frame.GSONone {
		o.ECN = header[1]&virtioECN != 0
		o.GSOSize = binary.NativeEndian.Uint16(header[4:])
		o.HeaderLen = o.SegmentHeader(data)
	}
	return o
}
