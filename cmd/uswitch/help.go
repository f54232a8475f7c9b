package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// topics are what help tells besides the help of each command.
var topics = map[string]string{"limits": limits}

// limits says what a lab cannot do as a Docker host does, and why.
const limits = `What uplink host cannot do, because it has sockets of this machine and sends no packets of its own (uplink netns:NAME can
all of it):

A published TCP port is a listening socket. This machine's kernel answers a client before the service inside is asked. So
where nobody listens inside, a client is connected first and reset at once, and where the service is silent, reset after
127 seconds. A Docker host's client is refused, or waits. The trace says so of the packet that asks the service, and shows
what that has answered.

TCP connections end at the gateway and begin there again. Urgent data, keepalives and every TTL but that of the SYN, which
goes along, are of one side each. Two sides that connect to each other at the same time do not meet. A connection that leaves is not answered before the destination has answered: refused is refused, silence is silence.

Protocols besides TCP, UDP and ICMP echo do not leave.

File descriptors: each network card, each published port and each flow has one. 128 of those that the process may have
(ulimit -n) are kept for whoever controls the lab; what there is none for is refused, and the reason says so.
`

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND ... | TOPIC]",
		Short:   "Tell about a command, or a topic: " + strings.Join(slices.Sorted(maps.Keys(topics)), ", "),
		Example: "  uswitch help limits",
		GroupID: groupLab,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && topics[args[0]] != "" {
				_, err := fmt.Fprint(c.OutOrStdout(), topics[args[0]])
				return err
			}
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{fmt.Errorf("help %s: there is no such command, and no such topic; topics: %s",
					strings.Join(args, " "), strings.Join(slices.Sorted(maps.Keys(topics)), ", "))}
			}
			return about.Help()
		},
	}
}
