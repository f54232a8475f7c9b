package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"uswitch/cmd/internal/control/api"
)

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
