package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/cmd/internal/tools/tcpdump"
	"uswitch/cmd/internal/words"
)

// hostTools returns the commands that take the words of another program.
func hostTools() []*cobra.Command {
	ss := hostTool("ss -ln [-t] [-u] [-H]", "Ports that are published, as ss has what listens", "", "  uswitch ss -lntu", hosttool.Tool.SS)
	return []*cobra.Command{
		hostTool("ip [OPTIONS] link|addr|route|neigh|netns ...", "Devices, addresses, routes and neighbours, as ip has them",
			`Options: -br -j -p -s -o -4 -n NAME. Words may be shortened as for the real program: uswitch ip a.
  link|addr [show] [[dev] NAME] [master BRIDGE] [type bridge|veth] [up]
  addr      add|del ADDRESS/LENGTH dev BRIDGE
  route     [show] [PREFIX] [via ADDRESS] [dev NAME]
  route     get ADDRESS
  route     add|replace|change|del PREFIX [via ADDRESS] [dev NAME]
  neigh     [show] [PREFIX] [dev NAME] [nud STATE]
  neigh     add|replace|change|del ADDRESS [lladdr MAC] dev NAME
  neigh     flush all|dev NAME
  link      add NAME type bridge
  link      add NAME [netns NAME] type veth [peer name NAME [netns NAME]]; each with address MAC and mtu N
  link      set NAME up|down|master BRIDGE|nomaster|netns NAME|name NAME|address MAC|mtu N ...
  link      del NAME
  netns     [list]|add|del|exec NAME COMMAND|identify PID|pids NAME|list-id

A cable's end that stays on the machine is an interface of the gateway's until it is put on a bridge; -n NAME and netns exec
NAME run the command in a namespace, where addresses and routes are typed.`, "  uswitch ip addr show br0", hosttool.Tool.IP),
		hostTool("bridge [OPTIONS] link|fdb ...", "Ports of the switches and their forwarding tables, as bridge has them",
			`Options: -j -p -s -d.
  link [show] [dev NAME] [master BRIDGE]
  link set dev NAME learning|flood|mcast_flood|bcast_flood|isolated on|off ...
  fdb  [show] [br BRIDGE] [dev NAME] [state STATE] [dynamic]
  fdb  add|replace|del MAC dev NAME master [static] [sticky]
  fdb  flush dev BRIDGE [brport NAME] [[no]static] [[no]dynamic] [[no]sticky]
  fdb  flush dev NAME master ...`, "  uswitch bridge fdb show br br0", hosttool.Tool.Bridge),
		hostTool("nsenter --net=FILE [COMMAND]", "Run a command in a namespace, as nsenter does",
			`FILE is /var/run/netns/NAME or /proc/PID/ns/net; process 1 is the machine that the gateway is.`, "  uswitch nsenter --net=/proc/1/ns/net ip link show", hosttool.Tool.Nsenter),
		hostTool("brctl show [BRIDGE ...]|showmacs BRIDGE|addbr ...", "The switches, as brctl has them",
			`  addbr|delbr BRIDGE
  addif|delif BRIDGE DEVICE
  setageing BRIDGE SECONDS`, "  uswitch brctl show", hosttool.Tool.Brctl),
		hostTool("ifconfig [NAME]", "Devices with their counters, as ifconfig has them", "", "  uswitch ifconfig br0", hosttool.Tool.Ifconfig),
		hostTool("route [-n]", "Routes, as route has them", "", "  uswitch route -n", hosttool.Tool.Route),
		hostTool("arp [-n] [-a|-e] [-i NAME] [ADDRESS]", "Neighbours, as arp has them", "", "  uswitch arp -n", hosttool.Tool.ARP),
		hostTool("sysctl [-n] [-w] net.ipv4.ip_forward[=0|1]", "Whether the gateway routes, as sysctl has it", "", "  uswitch sysctl net.ipv4.ip_forward", hosttool.Tool.Sysctl),
		hostTool("cat /proc/sys/net/ipv4/ip_forward", "Whether the gateway routes, as its file has it", "", "  uswitch cat /proc/sys/net/ipv4/ip_forward", hosttool.Tool.Cat),
		newTcpdump(),
		ss,
		hostTool("netstat -ln [-p] [-t] [-u] | -rn", "Ports that are published, or routes, as netstat has them", "", "  uswitch netstat -nlp", hosttool.Tool.Netstat),
	}
}

// hostTool makes such a command. It prints its own help for a lone -h, and finds the lab as iptables does.
func hostTool(use, short, words, example string, run func(hosttool.Tool, context.Context, []string) error) *cobra.Command {
	long := short + ", for the gateway of the lab and its switches."
	if words != "" {
		long += "\n\n" + words
	}
	long += "\n\nWith several labs up, say which with USWITCH_LAB=NAME in front, or --lab NAME as the first words."
	return &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, GroupID: groupHost, DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
				return c.Help()
			}
			name, args := labFirst(args)
			lab, end, err := labOrPlan(c.Context(), name)
			if err != nil {
				return err
			}
			defer end()
			return toolError(run(hosttool.Tool{Lab: lab, Out: os.Stdout, Exec: programsOf(lab)}, c.Context(), args))
		},
	}
}

// programsOf returns what runs programs in the hosts of a lab; one that is not up has none.
func programsOf(lab hosttool.Lab) func(ctx context.Context, host string, argv []string, output io.Writer) (int, error) {
	return func(ctx context.Context, host string, argv []string, output io.Writer) (int, error) {
		up, ok := lab.(*api.Client)
		if r, rests := lab.(*restingLab); rests {
			up, ok = r.now, r.begin == nil
		}
		if !ok {
			return 1, words.Errorf("%s: no lab is up", host)
		}
		return session.ExecWith(ctx, up, host, argv, session.ExecOptions{Input: os.Stdin, Output: output})
	}
}

func newTcpdump() *cobra.Command {
	return &cobra.Command{
		Use:   "tcpdump -i WHERE [-n] [-e] [-t] [-c N] [-w FILE [--force]] [FILTER]",
		Short: "The frames that pass somewhere, a line each, as tcpdump prints them",
		Long: `Listens at one of the lab's devices until Ctrl-C, or for -c N frames.
  -i br0      the switch of a network, as on a Linux bridge: every frame that it takes in, and what the gateway sends
  -i RED      the cable of a host (or by its own name, veth...)
  -i uplink   the way out
  -i gateway  what the gateway itself gets and sends, on all networks and the uplink
  -i any      every device, so that a frame is seen at each on its way
-w follows no link and overwrites nothing; with --force it empties an ordinary file of your own.

Filters: ip ip6 arp tcp udp icmp, [src|dst] host|net|port|portrange ID, ether host|proto, broadcast, multicast, less, greater;
and, or, not and parentheses. Hosts may be named as in the lab. Names are never looked up, as with -n.

With several labs up, say which with USWITCH_LAB=NAME in front, or --lab NAME as the first words.`,
		Example:            "  uswitch tcpdump -i br0 -n icmp or arp",
		GroupID:            groupHost,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
				return c.Help()
			}
			name, args := labFirst(args)
			o, err := tcpdump.Parse(args)
			if err != nil {
				return toolError(err)
			}
			lab, err := findLab(name)
			if err != nil {
				return err
			}
			ctx, stop := session.Interruptible()
			defer stop()
			if err := tcpdump.Run(ctx, lab, o, os.Stdout, os.Stderr); err != nil {
				return toolError(session.StreamEnd(ctx, lab.Lab(), err))
			}
			return nil // there were as many frames as were asked for
		},
	}
}
