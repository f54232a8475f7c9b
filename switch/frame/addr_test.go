package frame_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"unsafe"

	"uswitch/switch/frame"
)

// TestAddr: an address of either family comes back as it was, stands on the wire as netip has it, and has its order.
func TestAddr(t *testing.T) {
	list := []string{"0.0.0.0", "11.11.11.2", "255.255.255.255", "::", "::1", "2001:db8::7", "fe80::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}
	for _, s := range list {
		ip := netip.MustParseAddr(s)
		a, wire := frame.AddrOf(ip), make([]byte, ip.BitLen()/8)
		a.Put(wire)
		if back, _ := netip.AddrFromSlice(wire); a.IP() != ip || back != ip || a.Is4() != ip.Is4() {
			t.Errorf("%v became %v, on the wire %v", ip, a.IP(), back)
		}
		for _, other := range list {
			b := netip.MustParseAddr(other)
			if ip.Is4() == b.Is4() && a.Compare(frame.AddrOf(b)) != ip.Compare(b) {
				t.Errorf("%v and %v are in the wrong order", ip, b)
			}
		}
		if next := ip.Next(); next.IsValid() && a.Add(1).IP() != next || next.IsValid() && frame.AddrOf(next).Sub(a) != 1 {
			t.Errorf("%v is behind %v", a.Add(1).IP(), ip)
		}
	}
	if got := frame.AddrOf(netip.MustParseAddr("255.255.255.255")).Add(2).IP(); got != netip.MustParseAddr("0.0.0.1") {
		t.Errorf("behind the last address of IPv4: %v", got)
	}
	mask := frame.AddrOf(netip.MustParseAddr("255.255.0.0"))
	if got := frame.AddrOf(netip.MustParseAddr("11.12.13.14")).Mask(mask).IP(); got != netip.MustParseAddr("11.12.0.0") {
		t.Errorf("masked: %v", got)
	}
	if n := unsafe.Sizeof(frame.Tuple{}); n > 40 {
		t.Errorf("a tuple has %d bytes: the key of the connection table is to stay small", n)
	}
}

// TestUpdateChecksumAddr compares with the sum over all bytes, for both families.
func TestUpdateChecksumAddr(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{4, 16} {
		for range 2000 {
			b := make([]byte, size+20)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			before, _ := netip.AddrFromSlice(b[:size])
			sum := frame.Checksum(b, 0)
			for i := range size {
				b[i] = byte(r.Uint32())
			}
			after, _ := netip.AddrFromSlice(b[:size])
			if got, want := frame.UpdateChecksumAddr(sum, frame.AddrOf(before), frame.AddrOf(after)), frame.Checksum(b, 0); got != want {
				t.Fatalf("%v to %v: %04x, want %04x", before, after, got, want)
			}
		}
	}
}
