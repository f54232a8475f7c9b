package vxlan

import "uswitch/switch/frame"

// DefaultPort is IANA's, which Docker uses too; Linux' own default and flannel's is 8472.
const DefaultPort = 4789

// DefaultTTL is that of outer packets.
const DefaultTTL = 64

// MaxVNI is the largest of the 24 bits.
const MaxVNI = 1<<24 - 1

// flowOf hashes what the packets of one flow have in common: the outer source port is chosen by it, so that routers on the way spread
// flows over their links, and keep each in order (RFC 7348 section 5).
func flowOf(data []byte) uint32 {
	e, ok := frame.ParseEthernet(data)
	if !ok {
		return 0
	}
	h := uint64(14695981039346656037)
	add := func(b []byte) {
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211 // FNV-1a
		}
	}
	p := e.Payload()
	switch {
	case e.Type() == frame.TypeIPv4 && len(p) >= frame.IPv4Header+4:
		ip := frame.IPv4(p)
		add(p[12:20])
		add(p[9:10])
		if at := ip.HeaderLen(); !ip.IsFragment() && frame.ProtoHasPorts(ip.Proto()) && at+4 <= len(p) {
			add(p[at : at+4])
		}
	case e.Type() == frame.TypeIPv6 && len(p) >= 44:
		add(p[8:40])
		add(p[6:7])
		if frame.ProtoHasPorts(p[6]) {
			add(p[40:44])
		}
	default:
		add(data[:12])
	}
	return uint32(h ^ h>>32)
}
