package view

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// scopeIDs are the kernel's numbers of the scopes of IPv6 (net/ipv6.h).
var scopeIDs = map[string]string{"host": "0x10", "link": "0x20", "global": "0x0"}

// Ifconfig writes devices as `ifconfig` does, in the order of their names.
//
//	br0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500
//	        inet 11.11.11.1  netmask 255.255.255.0  broadcast 11.11.11.255
//	        inet6 fe80::42:bff:fe0b:b01  prefixlen 64  scopeid 0x20<link>
//	        ether 02:42:0b:0b:0b:01  txqueuelen 0  (Ethernet)
func Ifconfig(w io.Writer, rows []api.Device) error {
	out := bufio.NewWriter(w)
	for _, d := range slices.SortedStableFunc(slices.Values(rows), func(a, b api.Device) int { return compareNames(a.Name, b.Name) }) {
		number, names := ifFlags(&d)
		fmt.Fprintf(out, "%s: flags=%d<%s>  mtu %d\n", d.Name, number, strings.Join(names, ","), d.MTU)
		if a := d.Address; a.IsValid() {
			fmt.Fprintf(out, "        inet %v  netmask %v", a.Addr(), netmask(a))
			switch broadcast := addrBroadcast(&d); {
			case broadcast != "":
				out.WriteString("  broadcast " + broadcast)
			case d.Kind == api.KindNone:
				fmt.Fprintf(out, "  destination %v", a.Addr())
			}
			out.WriteByte('\n')
		}
		for _, a := range d.Addresses6 {
			fmt.Fprintf(out, "        inet6 %v  prefixlen %d  scopeid %s<%s>\n", a.Prefix.Addr(), a.Prefix.Bits(), scopeIDs[scope6(a.Prefix)], scope6(a.Prefix))
		}
		address, medium := hardware(&d)
		fmt.Fprintf(out, "        %s  txqueuelen %d  (%s)\n", address, queueLength(&d), medium)
		fmt.Fprintf(out, "        RX packets %d  bytes %d (%s)\n", d.RxPackets, d.RxBytes, kibi(d.RxBytes))
		fmt.Fprintf(out, "        RX errors 0  dropped %d  overruns 0  frame 0\n", d.RxDropped)
		fmt.Fprintf(out, "        TX packets %d  bytes %d (%s)\n", d.TxPackets, d.TxBytes, kibi(d.TxBytes))
		fmt.Fprintf(out, "        TX errors 0  dropped %d overruns 0  carrier 0  collisions 0\n\n", d.TxDropped)
	}
	return out.Flush()
}

// hardware is a device's address and what kind of device has such ones.
func hardware(d *api.Device) (address, medium string) {
	switch d.Kind {
	case api.KindLoopback:
		return "loop", "Local Loopback"
	case api.KindNone:
		return "unspec 00-00-00-00-00-00-00-00-00-00-00-00-00-00-00-00", "UNSPEC"
	}
	return "ether " + d.MAC.String(), "Ethernet"
}

// ifFlags are a device's flags as net-tools shows them: the number of if.h, and the names in their order.
func ifFlags(d *api.Device) (number int, names []string) {
	for _, f := range []struct {
		bit  int
		name string
		set  bool
	}{
		{1, "UP", true}, {1 << 1, "BROADCAST", d.Kind != api.KindLoopback && d.Kind != api.KindNone},
		{1 << 3, "LOOPBACK", d.Kind == api.KindLoopback}, {1 << 4, "POINTOPOINT", d.Kind == api.KindNone},
		{1 << 6, "RUNNING", d.Carrier}, {1 << 7, "NOARP", d.Kind == api.KindNone},
		{1 << 12, "MULTICAST", d.Kind != api.KindLoopback},
	} {
		if f.set {
			number, names = number|f.bit, append(names, f.name)
		}
	}
	return number, names
}

// netmask is a prefix length as net-tools writes it: 255.255.255.0.
func netmask(p netip.Prefix) string { return net.IP(net.CIDRMask(p.Bits(), 32)).String() }

// kibi writes bytes as ifconfig does behind their number, with one digit that is cut, not rounded: 1.2 KiB.
func kibi(n uint64) string {
	tenths, unit := n*10, "B"
	for _, u := range []struct {
		name string
		of   uint64
	}{{"PiB", 1 << 50}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n > u.of {
			tenths, unit = n/u.of*10+n%u.of*10/u.of, u.name
			break
		}
	}
	return fmt.Sprintf("%d.%d %s", tenths/10, tenths%10, unit)
}

// compareNames orders names of devices as net-tools does (nstrcmp.c): by what stands before the number at their end, then
// by that number's value: br2 before br10, and veth8942850, whose front is veth, before veth4115ab4, whose front is longer.
func compareNames(a, b string) int {
	front, number := endNumber(a)
	otherFront, otherNumber := endNumber(b)
	return cmp.Or(strings.Compare(front, otherFront), cmp.Compare(number, otherNumber), strings.Compare(a, b))
}

// endNumber takes a name apart; the number is -1 if there is none.
func endNumber(name string) (front string, number int) {
	front = strings.TrimRight(name, "0123456789")
	number, err := strconv.Atoi(name[len(front):])
	if err != nil {
		return front, -1
	}
	return front, number
}

// RouteTable writes routes as `route` does, or as `netstat -r`; numeric is -n, without which the default route has its name. There are
// no names for other networks here.
func RouteTable(w io.Writer, rows []api.Route, numeric, netstat bool) error {
	out := bufio.NewWriter(w)
	out.WriteString("Kernel IP routing table\n")
	out.WriteString("Destination     Gateway         Genmask         Flags ")
	if netstat {
		out.WriteString("  MSS Window  irtt Iface\n")
	} else {
		out.WriteString("Metric Ref    Use Iface\n")
	}
	for _, r := range rows {
		dst := RoutePrefix(r.Dst)
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
		fmt.Fprintf(out, "%-15s %-15s %-15s %-5s ", name, cmp.Or(r.Gateway, "0.0.0.0"), netmask(dst), flags)
		if netstat {
			fmt.Fprintf(out, "    0 0          0 %s\n", r.Dev)
		} else {
			fmt.Fprintf(out, "%-6d 0        0 %s\n", r.Metric, r.Dev)
		}
	}
	return out.Flush()
}

// RoutePrefix reads what stands for a destination in `ip route`.
func RoutePrefix(dst string) netip.Prefix {
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

// Brctl writes bridges as `brctl show` does, each with its ports among the devices in the order of their names.
func Brctl(w io.Writer, bridges, devices []api.Device) error {
	out := bufio.NewWriter(w)
	out.WriteString("bridge name\tbridge id\t\tSTP enabled\tinterfaces\n")
	for _, b := range bridges {
		var names []string
		for _, d := range devices {
			if d.Master == b.Name {
				names = append(names, d.Name)
			}
		}
		slices.Sort(names)
		// 8000 is the priority, which is the same everywhere (IEEE 802.1D-2004 table 17-2).
		fmt.Fprintf(out, "%s\t\t8000.%s\tno\t\t%s\n", b.Name, strings.ReplaceAll(b.MAC.String(), ":", ""),
			strings.Join(names, "\n\t\t\t\t\t\t\t"))
	}
	return out.Flush()
}

// BrctlMACs writes one bridge's forwarding table as `brctl showmacs` does, by address. What the bridge knows of its own
// address is not shown there: that is behind no port.
func BrctlMACs(w io.Writer, devices []api.Device, rows []FDBRow) error {
	numbers := map[string]uint32{}
	for _, d := range devices {
		numbers[d.Name] = d.Number
	}
	out := bufio.NewWriter(w)
	out.WriteString("port no\tmac addr\t\tis local?\tageing timer\n")
	for _, r := range slices.SortedStableFunc(slices.Values(rows), func(a, b FDBRow) int { return cmp.Compare(a.MAC.String(), b.MAC.String()) }) {
		if numbers[r.Ifname] == 0 || r.Self {
			continue
		}
		local, age := "no", 0.0
		if r.State == "permanent" {
			local = "yes"
		} else if r.State == "" {
			age = r.Updated
		}
		fmt.Fprintf(out, "%3d\t%v\t%s\t\t%7.2f\n", numbers[r.Ifname], r.MAC, local, age)
	}
	return out.Flush()
}
