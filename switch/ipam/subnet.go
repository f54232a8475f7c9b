package ipam

import (
	"fmt"
	"net/netip"
)

// defaultPools are the ranges that Docker cuts into subnets for networks that name none, and the length of each subnet,
// in the order in which Docker tries them (moby, libnetwork/ipamutils/utils.go, "local scope").
var defaultPools = []struct {
	base netip.Prefix
	bits int
}{
	{netip.MustParsePrefix("172.17.0.0/16"), 16},
	{netip.MustParsePrefix("172.18.0.0/16"), 16},
	{netip.MustParsePrefix("172.19.0.0/16"), 16},
	{netip.MustParsePrefix("172.20.0.0/14"), 16},
	{netip.MustParsePrefix("172.24.0.0/14"), 16},
	{netip.MustParsePrefix("172.28.0.0/14"), 16},
	{netip.MustParsePrefix("192.168.0.0/16"), 20},
}

// DefaultSubnets returns every subnet of the default pools in the order in which they are tried: fifteen /16s of
// 172.16.0.0/12, then sixteen /20s of 192.168.0.0/16.
func DefaultSubnets() []netip.Prefix {
	var all []netip.Prefix
	for _, pool := range defaultPools {
		step := size(netip.PrefixFrom(pool.base.Addr(), pool.bits))
		for i := range uint64(1) << (pool.bits - pool.base.Bits()) {
			all = append(all, netip.PrefixFrom(after(pool.base.Addr(), i*step), pool.bits))
		}
	}
	return all
}

// NextSubnet returns the first default subnet that overlaps nothing in taken: the networks there are, and the routes of
// the host.
func NextSubnet(taken []netip.Prefix) (netip.Prefix, error) {
	for _, subnet := range DefaultSubnets() {
		if CheckOverlap(subnet, taken) == nil {
			return subnet, nil
		}
	}
	return netip.Prefix{}, ErrNoSubnet
}

// CheckOverlap returns an error that names the first of taken that shares addresses with the subnet, or nil. The default
// route (0.0.0.0/0) covers everything and is nobody's, so it is not counted.
func CheckOverlap(subnet netip.Prefix, taken []netip.Prefix) error {
	for _, other := range taken {
		if other.Bits() > 0 && subnet.Overlaps(other) {
			return fmt.Errorf("%v: %w: %v", subnet, ErrOverlap, other)
		}
	}
	return nil
}
