package frame_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"uswitch/switch/frame"
)

// naive is RFC 1071 as it is written there: 16-bit words, carries added at the end.
func naive(b []byte, initial uint32) uint16 {
	sum := uint64(initial)
	for i := 0; i < len(b); i += 2 {
		word := uint64(b[i]) << 8
		if i+1 < len(b) {
			word |= uint64(b[i+1])
		}
		sum += word
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func TestChecksumKnown(t *testing.T) {
	for _, tt := range []struct {
		name    string
		hex     string
		initial uint32
		want    uint16
	}{
		{"RFC 1071, section 3", "0001 f203 f4f5 f6f7", 0, ^uint16(0xddf2)},
		{"nothing", "", 0, 0xffff},
		{"an odd byte is the high one", "ab", 0, ^uint16(0xab00)},
		{"ones", "ffffffffffffffff ffff", 0, 0},
		{"carries of the initial sum come back in", "0001", 0xffffffff, 0xfffe},
		{"an IPv4 header with its checksum", "45000073 00004000 4011b861 c0a80001 c0a800c7", 0, 0},
	} {
		if got := frame.Checksum(fromHex(t, tt.hex), tt.initial); got != tt.want {
			t.Errorf("%s: got %04x, want %04x", tt.name, got, tt.want)
		}
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add([]byte{}, uint32(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, uint32(0xffffffff))
	f.Add([]byte("an odd number of bytes"), uint32(0x1ffff))
	f.Fuzz(func(t *testing.T, b []byte, initial uint32) {
		if got, want := frame.Checksum(b, initial), naive(b, initial); got != want {
			t.Errorf("%x from %x: got %04x, want %04x", b, initial, got, want)
		}
	})
}

// TestUpdateChecksum changes words of random packets and compares the update with a checksum made anew.
func TestUpdateChecksum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		b := make([]byte, 20)
		for i := range b {
			b[i] = byte(random.Uint32())
			if random.IntN(3) == 0 {
				b[i] = byte(-random.IntN(2)) // 00 and ff are where one's complement has two zeroes
			}
		}
		binary.BigEndian.PutUint16(b[10:], 0)
		sum := frame.Checksum(b, 0)
		word, address := uint16(random.Uint32()), random.Uint32()
		updated := frame.UpdateChecksum(sum, binary.BigEndian.Uint16(b[8:]), word)
		updated = frame.UpdateChecksum32(updated, binary.BigEndian.Uint32(b[12:]), address)
		binary.BigEndian.PutUint16(b[8:], word)
		binary.BigEndian.PutUint32(b[12:], address)
		binary.BigEndian.PutUint16(b[10:], updated)
		if got := frame.Checksum(b, 0); got != 0 {
			t.Fatalf("%x: the updated checksum leaves %04x", b, got)
		}
	}
}

func TestPseudoHeader(t *testing.T) {
	src, dst := netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("255.255.255.254")
	pseudo := []byte{192, 168, 0, 1, 255, 255, 255, 254, 0, frame.ProtoUDP, 0x12, 0x34}
	if got, want := frame.Checksum(nil, frame.PseudoHeader(frame.ProtoUDP, src, dst, 0x1234)), naive(pseudo, 0); got != want {
		t.Errorf("got %04x, want %04x", got, want)
	}
}
