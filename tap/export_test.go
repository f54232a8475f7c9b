package tap

import "uswitch/switch/frame"

// DecodeHeader and EncodeHeader are the virtio-net header's, which no device has in front of its frames where a test could
// see it.
func DecodeHeader(header [virtioSize]byte, data []byte) frame.Offload {
	return decode(header[:], data)
}

func EncodeHeader(o frame.Offload) (h [virtioSize]byte) {
	(*virtioHeader)(&h).encode(o)
	return h
}
