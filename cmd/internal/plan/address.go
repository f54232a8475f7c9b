package plan

import (
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return netip.Addr{}, fmt.Errorf("%q: want an IPv4 address, as in 11.11.11.2", clip(text, 60))
	}
	return a, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%q: want an IPv4 address and a length, as in 11.11.11.0/24", clip(text, 60))
	}
	return p, nil
}

func parseStation(text string) (frame.MAC, error) {
	m, err := frame.ParseMAC(text)
	switch {
	case err != nil:
		return m, fmt.Errorf("%q: want six pairs of hex digits, as in 02:42:0b:0b:0b:02", clip(text, 60))
	case !m.IsStation():
		return m, fmt.Errorf("%v: no station can have this address: want one whose first octet is even, and not all zero", m)
	}
	return m, nil
}
