package tap_test

import (
	"encoding/binary"
	"testing"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// header writes a virtio-net header field by field.
func header(flags, gso byte, numbers ...uint16) (h [10]byte) {
	h[0], h[1] = flags, gso
	for i, n := range numbers {
		binary.NativeEndian.PutUint16(h[2+2*i:], n)
	}
	return h
}

// TestHeader reads headers as Linux writes them (include/linux/virtio_net.h), and writes them back.
func TestHeader(t *testing.T) {
	data := make([]byte, 3000)
	data[34+12] = 8 << 4 // a TCP header of 32 bytes behind Ethernet's and IPv4's
	tests := []struct {
		name   string
		header [10]byte
		want   frame.Offload
		back   [10]byte
	}{
		{"nothing to do", header(0, 0), frame.Offload{}, header(0, 0)},
		{"checksum", header(1, 0, 0, 0, 34, 6), frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}, header(1, 0, 0, 0, 34, 6)},
		{"vouched for", header(2, 0), frame.Offload{ChecksumValid: true}, header(2, 0)},
		{"fields that do not count", header(0, 0, 9, 9, 9, 9), frame.Offload{}, header(0, 0)},
		{"TCP, with what Linux takes for the header's length", header(1, 1, 300, 1448, 34, 16),
			frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: frame.GSOTCPv4, GSOSize: 1448, HeaderLen: 66},
			header(1, 1, 66, 1448, 34, 16)},
		{"TCP with ECN", header(1, 0x84, 66, 1448, 34, 16),
			frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: frame.GSOTCPv6, GSOSize: 1448, HeaderLen: 66, ECN: true},
			header(1, 0x84, 66, 1448, 34, 16)},
		{"UDP", header(1, 5, 0, 1000, 34, 6),
			frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6, GSO: frame.GSOUDPL4, GSOSize: 1000, HeaderLen: 42},
			header(1, 5, 42, 1000, 34, 6)},
	}
	for _, test := range tests {
		got := tap.DecodeHeader(test.header, data)
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
		if back := tap.EncodeHeader(got); back != test.back {
			t.Errorf("%s: written back % x, want % x", test.name, back, test.back)
		}
	}
}

// FuzzHeader reads any header in front of any frame: what is valid comes back as it was, and can be segmented or is refused.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{1, 1, 66, 0, 168, 5, 34, 0, 16, 0}, testFrame(3000))
	f.Add([]byte{1, 5, 42, 0, 168, 5, 34, 0, 6, 0}, testFrame(42))
	f.Add([]byte{3, 0x83, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, testFrame(20))
	f.Fuzz(func(t *testing.T, b, data []byte) {
		var h [10]byte
		copy(h[:], b)
		o := tap.DecodeHeader(h, data)
		if !o.Valid(len(data)) {
			return
		}
		if again := tap.DecodeHeader(tap.EncodeHeader(o), data); again != o {
			t.Errorf("%+v became %+v", o, again)
		}
		frame.Segment(frame.Frame{Data: data, Offload: o}, nil)
	})
}
