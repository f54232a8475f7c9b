package trace

import (
	"encoding/binary"

	"uswitch/switch/frame"
)

// Events may carry only the first bytes of a frame, so what the printers read is read more leniently than on the path:
// a packet that is longer than its bytes is no fault here.

// layers returns the EtherType and payload of the event's frame; ok is false if there is no header to read.
func (e *Event) layers() (etherType uint16, payload []byte, ok bool) {
	if e.IP {
		return frame.TypeIPv4, e.Frame.Data, len(e.Frame.Data) > 0
	}
	eth, ok := frame.ParseEthernet(e.Frame.Data)
	if !ok {
		return 0, nil, false
	}
	return eth.Type(), eth.Payload(), true
}

// IPv4 returns the IPv4 packet in the event's frame, as far as its bytes go.
func (e *Event) IPv4() (frame.IPv4, bool) {
	etherType, payload, ok := e.layers()
	if !ok || etherType != frame.TypeIPv4 {
		return nil, false
	}
	return frame.ParseClippedIPv4(payload)
}

// totalLength is what the header says, however many bytes are there.
func totalLength(p frame.IPv4) int { return int(binary.BigEndian.Uint16(p[2:4])) }

// length is that of the whole frame in bytes.
func (e *Event) length() int { return max(e.Length, len(e.Frame.Data)) }
