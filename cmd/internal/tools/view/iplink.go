package view

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// IPOptions are what `ip` takes before its object.
type IPOptions struct {
	Brief   bool // -br
	Oneline bool // -o
	Stats   bool // -s
	IPv4    bool // -4: of addresses, only those and what has them
	IPv6    bool // -6: likewise
}

// end ends a line of several about one thing.
func (o IPOptions) end() string {
	if o.Oneline {
		return `\`
	}
	return "\n"
}

// Links writes devices as `ip link` does.
func Links(w io.Writer, rows []api.Device, o IPOptions) error {
	out := bufio.NewWriter(w)
	for i := range rows {
		d := &rows[i]
		if o.Brief {
			fmt.Fprintf(out, "%-16s %-14s ", linkName(d), operState(d))
			if d.Kind != api.KindNone {
				out.WriteString(linkAddress(d) + " ")
			}
			fmt.Fprintf(out, "<%s> \n", strings.Join(flags(d), ","))
			continue
		}
		linkHead(out, d, "mode DEFAULT ", o)
		if o.Stats {
			out.WriteString(o.end())
			linkStats(out, d, o)
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

// linkHead writes the first two lines about a device, without the last end of line.
//
//	3: veth6d2f1c0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group default
//	    link/ether 82:2a:4f:30:c1:d8 brd ff:ff:ff:ff:ff:ff link-netnsid 0
func linkHead(out *bufio.Writer, d *api.Device, mode string, o IPOptions) {
	linkTop(out, d, mode)
	fmt.Fprintf(out, "%s    link/%s ", o.end(), linkType(d))
	if d.Kind != api.KindNone {
		out.WriteString(linkAddress(d) + " brd " + linkBroadcast(d))
	}
	if d.Kind == api.KindVeth && d.PeerDev == "" {
		fmt.Fprintf(out, " link-netnsid %d", d.NetnsID)
	}
}

func linkTop(out *bufio.Writer, d *api.Device, mode string) {
	discipline := "noqueue"
	if d.Down && !d.Raised { // no queue was ever attached to it
		discipline = "noop"
	}
	fmt.Fprintf(out, "%d: %s: <%s> mtu %d qdisc %s ", d.Index, linkName(d), strings.Join(flags(d), ","), d.MTU, discipline)
	if d.Master != "" {
		out.WriteString("master " + d.Master + " ")
	}
	fmt.Fprintf(out, "state %s %sgroup default ", operState(d), mode)
	if length := queueLength(d); length > 0 {
		fmt.Fprintf(out, "qlen %d", length)
	}
}

// linkStats writes what `ip -s` adds, without the last end of line. All columns are as wide as the widest number (iproute2
// ip/ipaddress.c, __print_link_stats).
func linkStats(out *bufio.Writer, d *api.Device, o IPOptions) {
	rx := []uint64{d.RxBytes, d.RxPackets, 0, d.RxDropped, 0, 0}
	tx := []uint64{d.TxBytes, d.TxPackets, 0, d.TxDropped, 0, 0}
	widths := []int{len("*X errors:"), len("packets"), len("errors"), len("dropped"), len("heartbt"), len("overrun")}
	for i := range widths {
		widths[i] = max(widths[i], len(fmt.Sprint(rx[i])), len(fmt.Sprint(tx[i])))
	}
	block := func(name string, heading []string, numbers []uint64) {
		out.WriteString("    " + name)
		for i, title := range heading {
			width := widths[i]
			if i == 0 {
				width -= len(name) + 1 // the first column begins above the name
			}
			fmt.Fprintf(out, " %*s", width, title)
		}
		fmt.Fprintf(out, " %*s%s    ", len("compressed"), "", o.end()) // the column that nobody fills
		for i, n := range numbers {
			fmt.Fprintf(out, "%*d ", widths[i], n)
		}
	}
	block("RX:", []string{"bytes", "packets", "errors", "dropped", "missed", "mcast"}, rx)
	out.WriteString(o.end())
	block("TX:", []string{"bytes", "packets", "errors", "dropped", "carrier", "collsns"}, tx)
}

// linkName is a device's name, with its peer's number where that is in another namespace, or its name.
func linkName(d *api.Device) string {
	switch {
	case d.PeerDev != "":
		return d.Name + "@" + d.PeerDev
	case d.Kind == api.KindVeth:
		return fmt.Sprintf("%s@if%d", d.Name, d.Peer)
	}
	return d.Name
}

// flags are those that the kernel would show for such a device, in its order (iproute2 ip/ipaddress.c, print_link_flags).
func flags(d *api.Device) (all []string) {
	if !d.Carrier && !d.Down {
		all = append(all, "NO-CARRIER")
	}
	switch d.Kind {
	case api.KindLoopback:
		all = append(all, "LOOPBACK")
	case api.KindNone:
		all = append(all, "POINTOPOINT", "MULTICAST", "NOARP")
	default:
		all = append(all, "BROADCAST", "MULTICAST")
	}
	if !d.Down {
		all = append(all, "UP")
	}
	if d.Carrier {
		all = append(all, "LOWER_UP")
	}
	if d.PeerDown {
		all = append(all, "M-DOWN")
	}
	return all
}

// operState is the state of RFC 2863 that the kernel shows.
func operState(d *api.Device) string {
	switch {
	case !d.Carrier:
		return "DOWN"
	case d.Kind == api.KindLoopback || d.Kind == api.KindNone:
		return "UNKNOWN" // there is no wire that could be up
	}
	return "UP"
}

func linkType(d *api.Device) string {
	switch d.Kind {
	case api.KindLoopback:
		return "loopback"
	case api.KindNone:
		return "none"
	}
	return "ether"
}

func linkAddress(d *api.Device) string { return d.MAC.String() }

func linkBroadcast(d *api.Device) string {
	if d.Kind == api.KindLoopback {
		return frame.MAC{}.String()
	}
	return frame.Broadcast.String()
}

// queueLength is the kernel's default for such a device, and none for a bridge or a pair that Docker makes; nothing waits in these.
func queueLength(d *api.Device) int {
	switch {
	case d.Kind == api.KindNone:
		return 500
	case !d.ByHand && (d.Kind == api.KindBridge || d.Kind == api.KindVeth):
		return 0
	}
	return 1000
}

// NetnsIDs writes the namespaces at the other ends of veths as `ip netns list-id` does, by their numbers. There must be one
// veth for each.
func NetnsIDs(w io.Writer, veths []api.Device) error {
	for _, d := range byNetns(veths) {
		if _, err := fmt.Fprintf(w, "nsid %d (iproute2 netns name: %s)\n", d.NetnsID, d.Host); err != nil {
			return err
		}
	}
	return nil
}

// NetnsIDsJSON returns what `ip -json netns list-id` prints.
func NetnsIDsJSON(veths []api.Device) any {
	type netns struct {
		ID   int    `json:"nsid"`
		Name string `json:"name"`
	}
	all := []netns{}
	for _, d := range byNetns(veths) {
		all = append(all, netns{d.NetnsID, d.Host})
	}
	return all
}

func byNetns(veths []api.Device) []api.Device {
	return slices.SortedFunc(slices.Values(veths), func(a, b api.Device) int { return cmp.Compare(a.NetnsID, b.NetnsID) })
}
