package test

import (
	"encoding/hex"
	"net/netip"
)

// packet makes an IPv4 packet byte by byte: everything as it should be, but for what the caller changes.
func packet(proto byte, src, dst string, payload []byte, change func(ip []byte)) []byte {
	ip := octets("45000000 0001 0000 40", hex.EncodeToString([]byte{proto}), "0000")
	ip = append(ip, netip.MustParseAddr(src).AsSlice()...)
	ip = append(ip, netip.MustParseAddr(dst).AsSlice()...)
	n := len(ip) + len(payload)
	ip[2], ip[3] = byte(n>>8), byte(n)
	if change != nil {
		change(ip)
	}
	complete(ip[10:], ip)
	return append(ip, payload...)
}

// echoTo is a ping.
func echoTo(src, dst string) []byte {
	icmp := octets("0800 0000 6d61 7265 77697368")
	complete(icmp[2:], icmp)
	return packet(1, src, dst, icmp, nil)
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
