package hosttool

import (
	"context"
	"strings"
)

// Nsenter answers `nsenter --net=FILE [COMMAND]`: in a namespace of the lab's, by its name or by a process that is in it. Process 1 is
// the machine that the gateway is.
func (t Tool) Nsenter(ctx context.Context, args []string) error {
	file := ""
	for file == "" {
		if len(args) == 0 {
			return refuse(1, "nsenter: want --net=FILE, a namespace of the lab's: /var/run/netns/NAME or /proc/PID/ns/net")
		}
		word := args[0]
		args = args[1:]
		value, long := strings.CutPrefix(word, "--net=")
		short, isShort := strings.CutPrefix(word, "-n")
		switch {
		case long:
			file = value
		case isShort && short != "":
			file = strings.TrimPrefix(short, "=")
		default:
			return refuse(1, "nsenter: %q is not answered here; there is --net=FILE.", word)
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	name := netnsName(file)
	if name == "" {
		return t.onMachine(ctx, args)
	}
	if pid, ok := strings.CutPrefix(file, "/proc/"); ok {
		inode, err := namespaceOf(strings.TrimSuffix(pid, "/ns/net"))
		if err != nil {
			return refuse(1, "nsenter: cannot open %s: No such file or directory", file)
		}
		hosts, err := t.hosts(ctx)
		if err != nil {
			return err
		}
		name = ""
		for _, h := range hosts {
			if h.Namespace.ID.Inode == inode {
				name = h.Name
			}
		}
		if name == "" {
			return refuse(1, "nsenter: %s is no namespace of the lab's", file)
		}
	}
	if _, err := t.host(ctx, name); err != nil {
		return refuse(1, "nsenter: cannot open %s: No such file or directory", file)
	}
	switch {
	case len(args) == 0:
		return t.run(ctx, name, []string{"sh"}, nil)
	case args[0] == "ip":
		return t.ipInside(ctx, name, args[1:])
	}
	return t.run(ctx, name, args, nil)
}

// onMachine answers a command for the machine itself.
func (t Tool) onMachine(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return refuse(1, "nsenter: a shell on the machine that the gateway is cannot be had: type its commands with uswitch in front")
	}
	commands := map[string]func(Tool, context.Context, []string) error{"ip": Tool.IP, "bridge": Tool.Bridge, "brctl": Tool.Brctl,
		"route": Tool.Route, "arp": Tool.ARP, "ifconfig": Tool.Ifconfig, "sysctl": Tool.Sysctl, "ss": Tool.SS, "netstat": Tool.Netstat}
	answer, ok := commands[args[0]]
	if !ok {
		return refuse(1, "nsenter: failed to execute %s: of the machine that the gateway is there are ip, bridge, brctl, route, arp, ifconfig, sysctl, ss and netstat", args[0])
	}
	return answer(t, ctx, args[1:])
}
