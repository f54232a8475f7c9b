package filter

import (
	"encoding/binary"
	"net/netip"

	"uswitch/switch/frame"
)

// view is what a filter can see of a frame: fields, wherever they are, as the programs do that libpcap makes of filters. A
// field behind the end of the frame makes it short, and then it does not match, not even a filter with not.
type view struct {
	link    []byte // the frame, nil where there is no link's header
	network []byte // the packet
	length  int
	short   bool
}

const (
	typeRARP  = 0x8035 // RFC 903
	ipv6Bytes = 40
	icmpv6    = 58
	protoSCTP = 132
)

func look(data []byte, ip bool) *view {
	v := &view{length: len(data), network: data}
	if !ip {
		v.link, v.network = data, data[min(len(data), frame.EthernetHeader):]
	}
	return v
}

// field returns n bytes at a place, zeros if they are not there.
func (v *view) field(of []byte, at, n int) []byte {
	if at+n > len(of) {
		v.short = true
		return make([]byte, n)
	}
	return of[at : at+n]
}

func (v *view) number(of []byte, at int) int { return int(binary.BigEndian.Uint16(v.field(of, at, 2))) }

// mac returns an address of the link; ok is false if it has none.
func (v *view) mac(at int) (m frame.MAC, ok bool) {
	if v.link == nil {
		return m, false
	}
	return frame.MAC(v.field(v.link, at, 6)), true
}

func (v *view) etherType() int {
	if v.link == nil {
		return int(frame.TypeIPv4)
	}
	return v.number(v.link, 12)
}

// proto returns what an IP packet carries, -1 if it is none.
func (v *view) proto() int {
	switch v.etherType() {
	case int(frame.TypeIPv4):
		return int(v.field(v.network, 9, 1)[0])
	case int(frame.TypeIPv6):
		return int(v.field(v.network, 6, 1)[0])
	}
	return -1
}

// addresses returns where the two addresses of IP, or of ARP, are and how long they are; n is 0 if there are none.
func (v *view) addresses() (src, dst, n int) {
	switch v.etherType() {
	case int(frame.TypeIPv4):
		return 12, 16, 4
	case int(frame.TypeIPv6):
		return 8, 24, 16
	case int(frame.TypeARP), typeRARP:
		return 14, 24, 4
	}
	return 0, 0, 0
}

func (v *view) address(at, n int) netip.Addr {
	a, _ := netip.AddrFromSlice(v.field(v.network, at, n))
	return a
}

// ports returns where TCP's or UDP's ports are; ok is false if there are none, as in later fragments.
func (v *view) ports() (at int, ok bool) {
	if p := v.proto(); p != ipProtos["tcp"] && p != ipProtos["udp"] && p != protoSCTP {
		return 0, false
	}
	if v.etherType() == int(frame.TypeIPv6) {
		return ipv6Bytes, true
	}
	return int(v.field(v.network, 0, 1)[0]&0xf) * 4, v.number(v.network, 6)&0x1fff == 0
}
