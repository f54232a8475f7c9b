package watch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/trace"
)

// parseFilter reads what a person types behind the key for it: names of hosts and addresses, a protocol, a port, hooks; in
// any order, as in "RED icmp" or "BLUE tcp 80 forward".
func parseFilter(text string, hosts []api.Host) (spec trace.FilterSpec, err error) {
	for _, word := range strings.Fields(text) {
		_, isHook := trace.ParseHook(word)
		port, notNumber := strconv.ParseUint(word, 10, 16)
		switch {
		case slices.ContainsFunc(hosts, func(h api.Host) bool { return h.Name == word }):
			spec.Hosts = append(spec.Hosts, word)
		case word == "drops":
			spec.Drops = true
		case slices.Contains([]string{"arp", "ip", "ipv6", "icmp", "tcp", "udp"}, word):
			if spec.Proto != "" {
				return spec, fmt.Errorf("%s and %s: want one protocol", spec.Proto, word)
			}
			spec.Proto = word
		case isHook:
			spec.Hooks = append(spec.Hooks, word)
		case notNumber == nil && port > 0:
			spec.Port = word
		default: // an address, or a mistake that the lab explains
			spec.Hosts = append(spec.Hosts, word)
		}
	}
	return spec, nil
}
