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

// Ifconfig writes devices as `ifconfig` does, in the order of their names.
//
//	br0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500
//	        inet 11.11.11.1  netmask 255.255.255.0  broadcast 11.11.11.255
//	        ether 02:42:0b:0b:0b:01  txqueuelen 1000  (Ethernet)
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
