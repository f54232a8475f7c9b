package view

import (
	"bufio"
	"fmt"
	"io"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// Addrs writes devices with their addresses as `ip addr` does.
func Addrs(w io.Writer, rows []api.Device, o IPOptions) error {
	out := bufio.NewWriter(w)
	for _, d := range Addressed(rows, o) {
		switch {
		case o.Brief:
			fmt.Fprintf(out, "%-16s %-14s ", linkName(&d), operState(&d))
			if d.Address.IsValid() {
				out.WriteString(d.Address.String() + " ")
			}
			out.WriteByte('\n')
			continue
		case o.Oneline:
			if d.Address.IsValid() {
				fmt.Fprintf(out, "%d: %s    %s\\       valid_lft forever preferred_lft forever\n", d.Index, d.Name, inet(&d))
			}
			continue
		case o.IPv4:
			linkTop(out, &d, "")
		default:
			linkHead(out, &d, "", o)
		}
		out.WriteByte('\n')
		if d.Address.IsValid() {
			fmt.Fprintf(out, "    %s\n       valid_lft forever preferred_lft forever\n", inet(&d))
		}
		if o.Stats {
			linkStats(out, &d, o)
			out.WriteByte('\n')
		}
	}
	return out.Flush()
}

// Addressed returns the devices that `ip addr` shows: all, or those that have an address if only those are asked for.
func Addressed(rows []api.Device, o IPOptions) (shown []api.Device) {
	for _, d := range rows {
		if d.Address.IsValid() || !o.IPv4 {
			shown = append(shown, d)
		}
	}
	return shown
}

// inet writes an address:
//
//	inet 11.11.11.1/24 brd 11.11.11.255 scope global br0
func inet(d *api.Device) string {
	text := "inet " + d.Address.String()
	if broadcast := addrBroadcast(d); broadcast != "" {
		text += " brd " + broadcast
	}
	return text + " scope " + addrScope(d) + " " + d.Name
}

// addrBroadcast is the address for everyone on the network; Docker sets it on its bridges.
func addrBroadcast(d *api.Device) string {
	if d.Kind == api.KindLoopback || d.Kind == api.KindNone || d.Address.Bits() > 30 {
		return ""
	}
	return frame.BroadcastOf(d.Address).String()
}

func addrScope(d *api.Device) string {
	if d.Kind == api.KindLoopback {
		return "host"
	}
	return "global"
}
