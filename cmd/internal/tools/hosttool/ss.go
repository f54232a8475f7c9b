package hosttool

import (
	"context"
	"fmt"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// SS answers `ss -l`: what listens on this machine for the lab, which are the ports that are published.
func (t Tool) SS(ctx context.Context, args []string) error {
	var listening, numeric, tcp, udp, ipv4, bare bool
	rest, err := letters{program: "ss", flags: map[byte]*bool{'l': &listening, 'n': &numeric, 't': &tcp, 'u': &udp, '4': &ipv4, 'H': &bare},
		long: map[string]byte{"listening": 'l', "numeric": 'n', "tcp": 't', "udp": 'u', "ipv4": '4', "no-header": 'H'}}.parse(args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return refuse(255, "ss: filters are not answered here: %q", rest[0])
	case !listening:
		return refuse(255, "ss: only listening sockets are answered here: want -l; connections are in `uswitch conntrack -L`")
	case !numeric:
		return refuse(255, "ss: names of services are not answered here: want -n")
	}
	var ports []api.Published
	if err := t.Lab.Get(ctx, "/v1/publish", nil, &ports); err != nil {
		return err
	}
	ports = choose(ports, func(p api.Published) bool { return tcp == udp || tcp == (p.Protocol == "tcp") })
	return view.SS(t.Out, ports, view.SSOptions{NoNetid: tcp != udp, NoHeader: bare})
}

// say writes a line that is no mistake.
func (t Tool) say(format string, args ...any) error {
	_, err := fmt.Fprintf(t.Out, format, args...)
	return err
}
