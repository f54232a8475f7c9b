package view

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
)

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
