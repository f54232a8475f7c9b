package session

import (
	"context"
	"os"

	"uswitch/cmd/internal/control/api"
	"uswitch/tap"
)

// InsideHost reports whether this process is inside a host of a lab, by `uswitch exec`, by "ip netns exec" or otherwise: then
// what it sends is the host's to send, and not the gateway's.
func InsideHost(ctx context.Context) bool {
	if os.Getenv("USWITCH_HOST") != "" {
		return true
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return false // no Linux, no namespaces
	}
	for _, answer := range api.AskAll(ctx, func(ctx context.Context, lab *api.Client) (hosts []api.Host, err error) {
		err = lab.Get(ctx, "/v1/hosts", nil, &hosts)
		return hosts, err
	}) {
		for _, h := range answer.Said { // none of one that is gone meanwhile
			if h.Mode != "host" && tap.ID(h.Namespace.ID).String() == own {
				return true
			}
		}
	}
	return false
}
