package tap

import "uswitch/switch/frame"

// plain is a TAP without offload headers: each read and each write is one frame, complete, as on a wire.
type plain struct{ *card }

// Read implements Device.
func (d plain) Read() (frame.Frame, error) {
	data, err := d.read()
	return frame.Frame{Data: data}, err
}

// Write implements Device.
func (d plain) Write(f frame.Frame) error {
	if f.Unfinished() {
		return d.offload
	}
	return d.write(nil, f.Data)
}

// TakesOffload implements Device.
func (plain) TakesOffload(frame.GSO) bool { return false }
