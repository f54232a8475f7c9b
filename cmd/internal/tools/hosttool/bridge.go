package hosttool

import (
	"context"
	"net/http"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// bridgeOptions and bridgeObjects are bridge's, in the order in which it looks for what an abbreviation means (iproute2
// bridge/bridge.c).
var (
	bridgeOptions = []string{"-help", "-Version", "-stats", "-statistics", "-details", "-oneline", "-timestamp", "-family", "-4", "-6",
		"-netns", "-compressvlans", "-color", "-json", "-pretty", "-force", "-batch"}
	bridgeObjects = []string{"link", "fdb", "mdb", "vlan", "vni", "monitor", "help"}
)

// bridge is one call of bridge.
type bridge struct {
	Tool
	words
	format
	stats, details bool
}

// Bridge answers `bridge`.
func (t Tool) Bridge(ctx context.Context, args []string) error {
	b := bridge{Tool: t, words: words{rest: args, usage: "bridge"}}
	var oneline bool // every answer here is
	if err := b.options(bridgeOptions, map[string]*bool{"-stats": &b.stats, "-statistics": &b.stats, "-details": &b.details,
		"-json": &b.json, "-pretty": &b.pretty, "-oneline": &oneline}); err != nil {
		return err
	}
	if oneline && b.details {
		return refuse(255, "Options -oneline and -details are not answered together.")
	}
	word, _ := b.next()
	switch object := expand(word, bridgeObjects); object {
	case "link":
		return b.link(ctx)
	case "fdb":
		return b.fdb(ctx)
	case "":
		if word == "" {
			return refuse(255, "Command line is not complete, try \"uswitch bridge -h\".")
		}
		return refuse(255, "Object %q is unknown, try \"uswitch bridge -h\".", word)
	default:
		return refuse(255, "Object %q (%s) is not answered here; there are link and fdb.", word, object)
	}
}

func (b *bridge) link(ctx context.Context) error {
	command, err := b.command("link", []string{"set", "change", "show", "lst", "list", "help"}, []string{"set", "show"})
	if err != nil {
		return err
	}
	if command == "set" {
		return b.setLink(ctx)
	}
	var dev, master string
	for {
		word, more := b.next()
		switch {
		case !more:
			return b.showLinks(ctx, dev, master)
		case word == "dev":
			err = b.set(word, &dev)
		case word == "master":
			err = b.set(word, &master)
		default: // the real one ignores it and shows all
			err = refuse(255, "Error: %q: want \"dev NAME\" or \"master BRIDGE\".", word)
		}
		if err != nil {
			return err
		}
	}
}

func (b *bridge) showLinks(ctx context.Context, dev, master string) error {
	devices, err := b.devices(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{dev, master} {
		if _, ok := named(devices, name); name != "" && !ok {
			return refuse(255, "Cannot find device %q", name)
		}
	}
	var flagsOf []api.Port
	if err := b.Lab.Get(ctx, "/v1/ports", nil, &flagsOf); err != nil {
		return err
	}
	var ports []view.BridgePort
	for _, d := range devices {
		if d.Master == "" || dev != "" && d.Name != dev || master != "" && d.Master != master {
			continue
		}
		for _, k := range flagsOf {
			if k.Network == d.Master && k.Name == d.Port {
				ports = append(ports, view.BridgePort{Device: d, Flags: k})
			}
		}
	}
	return b.write(b.format, view.BridgeLinksJSON(ports, b.details), func() error { return view.BridgeLinks(b.Out, ports, b.details) })
}

// setLink answers `bridge link set dev NAME { learning | flood | mcast_flood | bcast_flood | isolated } { on | off } ...`.
func (b *bridge) setLink(ctx context.Context) error {
	dev, values := "", map[string]string{}
	for {
		word, more := b.next()
		if !more {
			break
		}
		value, err := b.value()
		if err != nil {
			return err
		}
		switch word {
		case "dev":
			dev = value
		case "learning", "flood", "mcast_flood", "bcast_flood", "isolated":
			if value != "on" && value != "off" {
				return refuse(234, `Error: argument of %q must be one of "off", "on", not %q`, word, value)
			}
			values[word] = value
		default:
			return b.unanswered(word)
		}
	}
	devices, err := b.devices(ctx)
	if err != nil {
		return err
	}
	d, ok := named(devices, dev)
	switch {
	case dev == "":
		return refuse(255, "Device is a required argument.")
	case !ok || d.Master == "":
		return refuse(255, "Cannot find bridge device %q", dev)
	}
	return b.Lab.Do(ctx, http.MethodPost, "/v1/set", nil, api.SetRequest{Kind: "port", Name: d.Port, Network: d.Master, Values: values}, nil)
}
