package nat_test

import (
	"net/netip"
	"testing"

	"uswitch/nat"
	"uswitch/switch/trace"
)

// TestSharedAddress: what networks send to an address that the host has too is the host's, unless a rule leads it elsewhere;
// and only the host may answer with that address.
func TestSharedAddress(t *testing.T) {
	l := newLab(t, masquerade, "-t nat -A PREROUTING -p udp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT --to-destination 22.22.22.2:80")
	l.Remove(l.wan.leg)
	l.wan.leg = l.add(nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: l.wan, Shared: true})

	l.red.send(udp("11.11.11.2:1818", "192.0.2.2:9000", "q"))
	l.want(l.wan, "udp 192.0.2.2:1818 > 192.0.2.2:9000 ttl 63 \"q\"")
	l.wan.send(udp("192.0.2.2:9000", "192.0.2.2:1818", "a"))
	l.want(l.br0, "udp 192.0.2.2:9000 > 11.11.11.2:1818 ttl 63 \"a\"")
	l.drops(trace.Martian, 0)

	l.red.send(udp("11.11.11.2:1818", "192.0.2.2:8080", "published"))
	l.want(l.br1, "udp 22.22.22.1:1818 > 22.22.22.2:80 ttl 63 \"published\"")

	l.red.send(udp("192.0.2.2:9000", "22.22.22.2:1", "a neighbour says that it is the host"))
	l.drops(trace.OwnSource, 1)
	l.wan.refuse = trace.HostForbidden
	l.red.send(udp("11.11.11.2:1819", "192.0.2.2:9000", "q"))
	l.drops(trace.HostForbidden, 1)
	l.drops(trace.NoSocket, 0)
}
