package hosttool

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

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
	return view.RouteTable(t.Out, choose(rows, func(r api.Route) bool { return r.Family != "inet6" }), numeric, false)
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
	rows = choose(rows, func(n api.Neighbor) bool { return n.Dst.Is4() })
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

// Netstat answers `netstat -ln`, which is ss in older words, and `netstat -rn`, which is route.
func (t Tool) Netstat(ctx context.Context, args []string) error {
	var listening, numeric, tcp, udp, ipv4, programs, routes, all bool
	rest, err := letters{program: "netstat", flags: map[byte]*bool{'l': &listening, 'n': &numeric, 't': &tcp, 'u': &udp, '4': &ipv4, 'p': &programs, 'r': &routes, 'a': &all},
		long: map[string]byte{"listening": 'l', "numeric": 'n', "tcp": 't', "udp": 'u', "programs": 'p', "route": 'r'}}.parse(args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return refuse(1, "netstat: %q is not answered here", rest[0])
	case !numeric:
		return refuse(1, "netstat: names of services and networks are not answered here: want -n")
	case routes:
		rows, err := t.routes(ctx)
		if err != nil {
			return err
		}
		return view.RouteTable(t.Out, choose(rows, func(r api.Route) bool { return r.Family != "inet6" }), true, true)
	case !listening || all:
		return refuse(1, "netstat: only listening sockets are answered here: want -l; connections are in `uswitch conntrack -L`")
	}
	var ports []api.Published
	if err := t.Lab.Get(ctx, "/v1/publish", nil, &ports); err != nil {
		return err
	}
	var lab api.Lab
	if err := t.Lab.Get(ctx, "/v1/lab", nil, &lab); err != nil {
		return err
	}
	ports = choose(ports, func(p api.Published) bool { return tcp == udp || tcp == (p.Protocol == "tcp") })
	program := ""
	if programs {
		program = fmt.Sprintf("%d/uswitch", lab.PID)
	}
	return view.Netstat(t.Out, ports, program, !tcp && !udp)
}

// say writes a line that is no mistake.
func (t Tool) say(format string, args ...any) error {
	_, err := fmt.Fprintf(t.Out, format, args...)
	return err
}

// brctlCommands are those of brctl that are not answered.
var brctlCommands = []string{"hairpin", "setbridgeprio", "setfd", "sethello", "setmaxage",
	"setpathcost", "setportprio", "showstp", "stp"}

// Brctl answers `brctl`.
func (t Tool) Brctl(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return refuse(1, "Usage: uswitch brctl show [BRIDGE ...]\n       uswitch brctl showmacs|addbr|delbr BRIDGE\n       uswitch brctl addif|delif BRIDGE DEVICE\n       uswitch brctl setageing BRIDGE SECONDS")
	}
	command, names := args[0], args[1:]
	switch {
	case command == "show":
		return t.brctlShow(ctx, names)
	case command == "showmacs" && len(names) == 1:
		return t.brctlMACs(ctx, names[0])
	case command == "showmacs":
		return refuse(1, "Incorrect number of arguments for command\nUsage: brctl showmacs <bridge>\t\tshow a list of mac addrs")
	case brctlUsage[command].args > 0:
		return t.brctlChange(ctx, command, names)
	case slices.Contains(brctlCommands, command):
		return refuse(1, "brctl %s is not answered here; there are show, showmacs, addbr, delbr, addif, delif and setageing.", command)
	}
	return refuse(1, "never heard of command [%s]", command)
}

func (t Tool) brctlShow(ctx context.Context, names []string) error {
	devices, err := t.devices(ctx)
	if err != nil {
		return err
	}
	bridges := choose(devices, func(d api.Device) bool { return d.Kind == api.KindBridge })
	slices.SortFunc(bridges, func(a, b api.Device) int { return strings.Compare(a.Name, b.Name) })
	var missing []string
	if len(names) > 0 {
		all := bridges
		bridges = nil
		for _, name := range names {
			if d, ok := named(all, name); ok {
				bridges = append(bridges, d)
				continue
			}
			missing = append(missing, "bridge "+name+" does not exist!")
		}
	}
	if len(bridges) > 0 || len(names) == 0 {
		if err := view.Brctl(t.Out, bridges, devices); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return refuse(1, "%s", strings.Join(missing, "\n"))
	}
	return nil
}

func (t Tool) brctlMACs(ctx context.Context, name string) error {
	rows, devices, err := t.fdbRows(ctx)
	if err != nil {
		return err
	}
	if d, _ := named(devices, name); d.Kind != api.KindBridge {
		return refuse(1, "read of forward table failed: No such device")
	}
	rows = choose(rows, func(r view.FDBRow) bool { return r.Master == name })
	return view.BrctlMACs(t.Out, devices, rows)
}

// forwarding are the names of whether the gateway routes; with slashes they are files below /proc/sys.
var forwarding = []string{"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv4.conf.default.forwarding"}

// Cat answers `cat` for the files of /proc/sys that stand for what sysctl knows.
func (t Tool) Cat(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return refuse(1, "cat: want a file of /proc/sys, as in /proc/sys/net/ipv4/ip_forward")
	}
	for _, path := range args {
		name, ok := strings.CutPrefix(path, "/proc/sys/")
		if name = strings.ReplaceAll(name, "/", "."); !ok || !slices.Contains(forwarding, name) {
			return refuse(1, "cat: %s: of the machine that the gateway is there is /proc/sys/net/ipv4/ip_forward", path)
		}
		if err := t.Sysctl(ctx, []string{"-n", name}); err != nil {
			return err
		}
	}
	return nil
}

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
