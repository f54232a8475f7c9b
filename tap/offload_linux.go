package tap

import (
	"fmt"
	"io"

	"uswitch/switch/frame"
)

// offload is a TAP with offload headers: a read or a write is one frame, perhaps of 64 KiB, with word of what is still to
// be done to it.
type offload struct {
	*card
	datagrams bool // the kernel takes and gives super-frames of them
}

// Read implements Device.
func (d offload) Read() (frame.Frame, error) {
	b, err := d.read()
	if err != nil {
		return frame.Frame{}, err
	}
	if len(b) < virtioSize { // the kernel writes no such thing
		return frame.Frame{}, fmt.Errorf("%s: %d bytes: %w", d.name, len(b), io.ErrUnexpectedEOF)
	}
	data := b[virtioSize:]
	return frame.Frame{Data: data, Offload: decode(b, data)}, nil
}

// Write implements Device.
func (d offload) Write(f frame.Frame) error {
	if !f.Offload.Valid(len(f.Data)) {
		return d.offload
	}
	var header virtioHeader
	header.encode(f.Offload)
	return d.write(&header, f.Data)
}

// TakesOffload implements Device.
func (d offload) TakesOffload(kind frame.GSO) bool { return kind != frame.GSOUDPL4 || d.datagrams }
