package snapshot

import (
	"net"
	"net/netip"
	"os"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// look reads what is in a namespace.
func look(ns tap.Namespace) (*inside, error) {
	in := &inside{}
	err := tap.Do(ns, func() error {
		cards, err := net.Interfaces()
		if err != nil {
			return err
		}
		for _, c := range cards {
			in.cards = append(in.cards, cardOf(c))
		}
		in.routes = parseRoutes(read("route"))
		in.neighbors = parseNeighbors(read("arp"))
		in.tcp = append(parseSockets(read("tcp"), tcpListen), parseSockets(read("tcp6"), tcpListen)...)
		in.udp = append(parseSockets(read("udp"), udpOpen), parseSockets(read("udp6"), udpOpen)...)
		return nil
	})
	return in, err
}

// read returns a table of the namespace that this thread is in; a kernel without IPv6 lacks some of them.
func read(table string) string {
	text, err := os.ReadFile("/proc/thread-self/net/" + table)
	if err != nil {
		return ""
	}
	return string(text)
}

func cardOf(c net.Interface) netcard {
	n := netcard{name: c.Name, mtu: c.MTU, up: c.Flags&net.FlagUp != 0}
	copy(n.mac[:], c.HardwareAddr)
	if len(c.HardwareAddr) != len(frame.MAC{}) {
		n.mac = frame.MAC{}
	}
	addrs, err := c.Addrs()
	if err != nil {
		return n
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if addr, ok := netip.AddrFromSlice(ip.IP); ok && addr.Unmap().Is4() && !n.addr.IsValid() {
			bits, _ := ip.Mask.Size()
			n.addr = netip.PrefixFrom(addr.Unmap(), bits)
		}
	}
	return n
}
