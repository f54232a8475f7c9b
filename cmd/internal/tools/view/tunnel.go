package view

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/trace"
)

// Tunnels writes the ports to other machines, and below each what is wrong with the way between them, as far as that is known.
func Tunnels(w io.Writer, rows []api.Tunnel) error {
	out := bufio.NewWriter(w)
	for _, t := range rows {
		learning := "learning"
		if !t.Learning {
			learning = "nolearning"
		}
		var peers []string
		for _, p := range t.Peers {
			peers = append(peers, p.Addr.String())
		}
		to := "no peers"
		if len(peers) > 0 {
			to = "peers " + strings.Join(peers, ", ")
		}
		fmt.Fprintf(out, "%s on %s: VNI %d at %v, %s, ttl %d, mtu %d, %s\n", t.Name, t.Network, t.VNI, t.Local, to, t.TTL, t.MTU, learning)
		if t.Dropped > 0 {
			fmt.Fprintf(out, "    %d packets from other machines went no further: `uswitch drops` says why\n", t.Dropped)
		}
		if t.Overflowed > 0 {
			fmt.Fprintf(out, "    %d packets were lost as they came faster than they are taken in\n", t.Overflowed)
		}
		if t.ChecksumErrors != nil && *t.ChecksumErrors > 0 {
			fmt.Fprintf(out, "    %d UDP packets to this machine had a wrong checksum and were dropped by the kernel, of a tunnel or not (InCsumErrors).\n"+
				"    Most often a sender's interface leaves checksums undone: `ethtool -K DEV tx off` there, DEV being the outer link\n", *t.ChecksumErrors)
		}
		for _, p := range t.Peers {
			if p.Errors > 0 {
				fmt.Fprintf(out, "    %v: %d ICMP errors; the last is %s, from %s, at %s\n", p.Addr, p.Errors, trace.Printable(p.Error), p.From, p.When.Format("15:04:05"))
			}
		}
	}
	return out.Flush()
}
