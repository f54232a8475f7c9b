package hosttool

import (
	"context"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// netns answers `ip netns list-id`: the namespaces that cables lead to, by the numbers that `ip link` has for them.
func (i *ip) netns(ctx context.Context) error {
	if word, _ := i.next(); word != "list-id" {
		return refuse(255, "Command \"ip netns %s\" is not answered here; there is list-id. The hosts' namespaces are this machine's own: ip netns list.", word)
	}
	if word, more := i.next(); more {
		return i.unanswered(word)
	}
	rows, err := i.devices(ctx)
	if err != nil {
		return err
	}
	seen := map[int]bool{}
	rows = choose(rows, func(d api.Device) bool {
		first := d.Kind == api.KindVeth && !seen[d.NetnsID]
		seen[d.NetnsID] = seen[d.NetnsID] || first
		return first
	})
	return i.write(i.format, view.NetnsIDsJSON(rows), func() error { return view.NetnsIDs(i.Out, rows) })
}
