package hosttool

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// forwarding are the names of whether the gateway routes; with slashes they are files below /proc/sys.
var forwarding = []string{"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv4.conf.default.forwarding"}

// Sysctl answers `sysctl` for what a gateway has of that.
func (t Tool) Sysctl(ctx context.Context, args []string) error {
	values, names := false, []string{}
	for _, arg := range args {
		switch {
		case arg == "-n" || arg == "--values":
			values = true
		case arg == "-w" || arg == "--write":
		case arg == "-a" || arg == "--all":
			names = append(names, forwarding[0])
		case strings.HasPrefix(arg, "-"):
			return refuse(1, "sysctl: option %q is not answered here; there are -a, -n and -w.", arg)
		default:
			names = append(names, arg)
		}
	}
	if len(names) == 0 {
		return refuse(1, "Usage: uswitch sysctl [-n] [-w] net.ipv4.ip_forward[=0|1]")
	}
	for _, text := range names {
		name, value, sets := strings.Cut(text, "=")
		name, value = strings.ReplaceAll(strings.TrimSpace(name), "/", "."), strings.TrimSpace(value)
		if !slices.Contains(forwarding, name) {
			return refuse(1, "sysctl: cannot stat /proc/sys/%s: No such file or directory: of the gateway there is %s", strings.ReplaceAll(name, ".", "/"), forwarding[0])
		}
		if sets {
			change := api.SetRequest{Kind: "gateway", Values: map[string]string{"ip_forward": value}}
			if err := t.Lab.Do(ctx, http.MethodPost, "/v1/set", nil, change, nil); err != nil {
				return err
			}
		}
		var lab api.Lab
		if err := t.Lab.Get(ctx, "/v1/lab", nil, &lab); err != nil {
			return err
		}
		now := fmt.Sprintln(map[bool]int{true: 1}[lab.Forward])
		if !values {
			now = name + " = " + now
		}
		if err := t.say("%s", now); err != nil {
			return err
		}
	}
	return nil
}
