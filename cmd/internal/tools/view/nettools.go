package view

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// RouteTable writes routes as `route` does; numeric is -n, without which the default route has its name. There are no
// names for other networks here.
func RouteTable(w io.Writer, rows []api.Route, numeric bool) error {
	out := bufio.NewWriter(w)
	out.WriteString("Kernel IP routing table\n")
	out.WriteString("Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
	for _, r := range rows {
		dst := routePrefix(r.Dst)
		name, flags := dst.Addr().String(), "U"
		if dst.Bits() == 0 && !numeric {
			name = "default"
		}
		if r.Gateway != "" {
			flags += "G"
		}
		if dst.IsSingleIP() {
			flags += "H"
		}
		fmt.Fprintf(out, "%-15s %-15s %-15s %-5s 0      0        0 %s\n", name, cmp.Or(r.Gateway, "0.0.0.0"), netmask(dst), flags, r.Dev)
	}
	return out.Flush()
}

// routePrefix reads what stands for a destination in `ip route`.
func routePrefix(dst string) netip.Prefix {
	if dst == "default" {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	if a, err := netip.ParseAddr(dst); err == nil {
		return netip.PrefixFrom(a, a.BitLen())
	}
	p, _ := netip.ParsePrefix(dst)
	return p
}

// ARP writes neighbours as `arp` does; bsd is -a, the other style.
func ARP(w io.Writer, rows []api.Neighbor, bsd bool) error {
	out := bufio.NewWriter(w)
	if len(rows) > 0 && !bsd {
		out.WriteString("Address                  HWtype  HWaddress           Flags Mask            Iface\n")
	}
	for _, n := range rows {
		permanent := strings.Join(n.State, ",") == "PERMANENT"
		address, kind, flag, word := n.Lladdr, "ether", "C", "[ether] "
		if permanent {
			flag, word = "CM", "[ether] PERM "
		}
		if address == "" {
			address, kind, flag, word = "(incomplete)", "", "", ""
		}
		if bsd {
			address = strings.NewReplacer("(", "<", ")", ">").Replace(address)
			fmt.Fprintf(out, "? (%v) at %s %son %s\n", n.Dst, address, word, n.Dev)
			continue
		}
		fmt.Fprintf(out, "%-23v  %-8s%-20s%-22s%s\n", n.Dst, kind, address, flag, n.Dev)
	}
	return out.Flush()
}
