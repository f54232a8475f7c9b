package hosttool

import (
	"context"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// Route answers `route`.
func (t Tool) Route(ctx context.Context, args []string) error {
	var numeric, ipv4 bool
	rest, err := letters{program: "route", flags: map[byte]*bool{'n': &numeric, '4': &ipv4}, long: map[string]byte{"numeric": 'n'}}.parse(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return refuse(3, "route %s is not answered here: `uswitch ip route` can add and delete.", rest[0])
	}
	rows, err := t.routes(ctx)
	if err != nil {
		return err
	}
	return view.RouteTable(t.Out, rows, numeric)
}

// ARP answers `arp`. There are no names to resolve, so that all is numeric with and without -n.
func (t Tool) ARP(ctx context.Context, args []string) error {
	var numeric, bsd, linux bool
	var dev string
	rest, err := letters{program: "arp", flags: map[byte]*bool{'n': &numeric, 'a': &bsd, 'e': &linux}, values: map[byte]*string{'i': &dev},
		long: map[string]byte{"numeric": 'n', "device": 'i'}}.parse(args)
	if err != nil {
		return err
	}
	if len(rest) > 1 {
		return refuse(3, "arp: %q: want one host at most", rest[1])
	}
	rows, err := t.neighbors(ctx)
	if err != nil {
		return err
	}
	total := len(rows)
	rows = choose(rows, func(n api.Neighbor) bool {
		return (dev == "" || n.Dev == dev) && (len(rest) == 0 || n.Dst.String() == rest[0])
	})
	switch {
	case len(rows) > 0 || total == 0 && dev == "" && len(rest) == 0:
		return view.ARP(t.Out, rows, bsd)
	case len(rest) == 1 && !bsd:
		return t.say("%s (%s) -- no entry\n", rest[0], rest[0])
	}
	return t.say("arp: in %d entries no match found.\n", total)
}

// Ifconfig answers `ifconfig`. Everything is up, so that -a adds nothing.
func (t Tool) Ifconfig(ctx context.Context, args []string) error {
	rest := slices.DeleteFunc(slices.Clone(args), func(word string) bool { return word == "-a" || word == "-v" })
	if len(rest) > 0 && rest[0] != "" && rest[0][0] == '-' {
		return refuse(1, "ifconfig: option `%s' is not answered here, try \"uswitch ifconfig -h\".", rest[0])
	}
	if len(rest) > 1 {
		return refuse(1, "ifconfig %s %s: nothing can be changed here; the lab file says what devices are like.", rest[0], rest[1])
	}
	rows, err := t.devices(ctx)
	if err != nil {
		return err
	}
	if len(rest) == 1 {
		d, ok := named(rows, rest[0])
		if !ok {
			return refuse(1, "%s: error fetching interface information: Device not found", rest[0])
		}
		rows = []api.Device{d}
	}
	return view.Ifconfig(t.Out, rows)
}
