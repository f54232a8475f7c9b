package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
)

func newDockerNetwork() *cobra.Command {
	c := &cobra.Command{
		Use:     "network",
		Short:   "Networks: create, ls, inspect, connect, disconnect, rm, prune",
		Example: "  uswitch docker network ls",
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newNetworkLs(), newNetworkCreate(), newNetworkInspect(), newNetworkConnect(), newNetworkDisconnect(), newNetworkRm(), newNetworkPrune())
	return c
}

func newNetworkLs() *cobra.Command {
	c := &cobra.Command{
		Use:     "ls [flags]",
		Aliases: []string{"list"},
		Short:   "List networks",
		Example: "  uswitch docker network ls",
		Args:    usage(cobra.NoArgs),
	}
	var o client.DockerOptions
	filters := c.Flags().StringArrayP("filter", "f", nil, "only those with `KEY=VALUE`: name, id, driver, type or label")
	listFlags(c, &o)
	return onDocker(c, func(ctx context.Context, d *client.Client, _ []string) error {
		rows, err := d.Networks(ctx)
		if err == nil {
			rows, err = client.FilterNetworks(rows, *filters)
		}
		if err != nil {
			return err
		}
		return client.DockerNetworks(os.Stdout, rows, o)
	})
}

func newNetworkCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create [flags] NETWORK",
		Short: "Make a network: a switch, with the gateway on it",
		Long: `Makes a network and prints its id. Without --subnet it gets the first of Docker's own that is free. Options (-o) are
Docker's: com.docker.network.bridge.name, .enable_icc, .enable_ip_masquerade, .host_binding_ipv4 and
.gateway_mode_ipv4, and com.docker.network.driver.mtu.`,
		Example: "  uswitch docker network create --subnet 10.5.0.0/24 front",
		Args:    usage(cobra.ExactArgs(1)),
	}
	var o client.NetworkOptions
	f := c.Flags()
	f.StringVarP(&o.Driver, "driver", "d", "bridge", "the kind of network: `bridge`")
	f.StringArrayVar(&o.Subnets, "subnet", nil, "its `PREFIX`, as in 10.5.0.0/24")
	f.StringArrayVar(&o.Gateways, "gateway", nil, "the gateway's `ADDRESS` on it")
	f.StringArrayVar(&o.Ranges, "ip-range", nil, "hand out addresses of this `PREFIX` only")
	f.StringArrayVar(&o.Aux, "aux-address", nil, "`NAME=ADDRESS` that nobody gets")
	f.BoolVar(&o.Internal, "internal", false, "without a way out")
	f.BoolVar(&o.Attachable, "attachable", false, "which every network here is; only shown")
	f.BoolVar(&o.IPv6, "ipv6", false, "with IPv6 too")
	f.StringArrayVarP(&o.Options, "opt", "o", nil, "an option of Docker's bridges, `KEY=VALUE`")
	f.StringArrayVar(&o.Labels, "label", nil, "note `KEY=VALUE` with it")
	return beginDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		r, err := o.Request(args[0])
		if err != nil {
			return err
		}
		made, err := d.CreateNetwork(ctx, r)
		if err != nil {
			return err
		}
		fmt.Println(made.ID)
		return nil
	})
}

func newNetworkInspect() *cobra.Command {
	return inspecting(&cobra.Command{
		Use:     "inspect [flags] NETWORK ...",
		Short:   "Say everything about networks",
		Example: "  uswitch docker network inspect bridge",
		Args:    usage(cobra.MinimumNArgs(1)),
	}, func(ctx context.Context, d *client.Client, name string) (any, error) { return d.Network(ctx, name) })
}

func newNetworkConnect() *cobra.Command {
	c := &cobra.Command{
		Use:     "connect [flags] NETWORK CONTAINER",
		Short:   "Put a container onto a further network",
		Example: "  uswitch docker network connect --ip 10.5.0.9 front web",
		Args:    usage(cobra.ExactArgs(2)),
	}
	f := c.Flags()
	s := &types.EndpointSettings{}
	ip := f.String("ip", "", "its IPv4 `ADDRESS` there")
	ip6 := f.String("ip6", "", "its IPv6 `ADDRESS` there")
	f.StringArrayVar(&s.Aliases, "alias", nil, "a further `NAME` there")
	f.StringArrayVar(&s.Links, "link", nil, "know `CONTAINER[:ALIAS]` by name there; on bridge, only before its own start")
	f.IntVar(&s.GwPriority, "gw-priority", 0, "the network with the highest `NUMBER` has the default route")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		if *ip != "" || *ip6 != "" {
			s.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: *ip, IPv6Address: *ip6}
		}
		return d.Connect(ctx, args[0], types.NetworkConnectRequest{Container: args[1], EndpointConfig: s})
	})
}

func newNetworkDisconnect() *cobra.Command {
	c := &cobra.Command{
		Use:     "disconnect [flags] NETWORK CONTAINER",
		Short:   "Take a container off a network",
		Example: "  uswitch docker network disconnect front web",
		Args:    usage(cobra.ExactArgs(2)),
	}
	force := c.Flags().BoolP("force", "f", false, "whatever it is doing, which here is the same")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		return d.Disconnect(ctx, args[0], types.NetworkDisconnectRequest{Container: args[1], Force: *force})
	})
}

func newNetworkRm() *cobra.Command {
	c := &cobra.Command{
		Use:     "rm [flags] NETWORK ...",
		Aliases: []string{"remove"},
		Short:   "Remove networks on which nobody is",
		Example: "  uswitch docker network rm front",
		Args:    usage(cobra.MinimumNArgs(1)),
	}
	force := c.Flags().BoolP("force", "f", false, "one that is not there is no mistake")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		return forEach(args, func(name string) error {
			err := d.RemoveNetwork(ctx, name)
			if *force && client.NotFound(err) {
				return nil
			}
			return err
		})
	})
}

func newNetworkPrune() *cobra.Command {
	c := &cobra.Command{
		Use:     "prune [flags]",
		Short:   "Remove all networks on which nobody is",
		Example: "  uswitch docker network prune -f",
		Args:    usage(cobra.NoArgs),
	}
	force := c.Flags().BoolP("force", "f", false, "do not ask")
	return onDocker(c, func(ctx context.Context, d *client.Client, _ []string) error {
		if !*force && !agreed("WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue? [y/N] ") {
			return nil
		}
		names, err := d.PruneNetworks(ctx)
		if len(names) > 0 {
			fmt.Println("Deleted Networks:\n" + strings.Join(names, "\n") + "\n")
		}
		return err
	})
}

// agreed asks, and takes y or yes for an answer.
func agreed(question string) bool {
	fmt.Print(question)
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
