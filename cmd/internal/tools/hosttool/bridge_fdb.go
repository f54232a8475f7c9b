package hosttool

import (
	"context"
	"net/http"
	"slices"

	"uswitch/cmd/internal/control"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/world"
)

// fdbQuestion says what of the tables is asked for.
type fdbQuestion struct {
	dev, bridge, state string
	dynamic            bool
}

func (b *bridge) fdb(ctx context.Context) error {
	command, err := b.command("fdb", []string{"add", "append", "replace", "delete", "get", "show", "lst", "list", "flush", "help"},
		[]string{"add", "replace", "delete", "show"})
	if err != nil {
		return err
	}
	if command != "show" {
		return b.changeFDB(ctx, command)
	}
	var q fdbQuestion
	for {
		word, more := b.next()
		switch {
		case !more:
			return b.showFDB(ctx, q)
		case word == "dev" || word == "brport":
			err = b.set(word, &q.dev)
		case word == "br":
			err = b.set(word, &q.bridge)
		case word == "state":
			err = b.set(word, &q.state)
		case word == "dynamic":
			q.dynamic = true
		default: // the real one ignores most words, and shows all
			err = refuse(255, "Error: %q: want \"br BRIDGE\", \"dev NAME\", \"state STATE\" or \"dynamic\".", word)
		}
		if err != nil {
			return err
		}
	}
}

func (b *bridge) showFDB(ctx context.Context, q fdbQuestion) error {
	rows, devices, err := b.fdbRows(ctx)
	if err != nil {
		return err
	}
	if _, ok := named(devices, q.dev); q.dev != "" && !ok {
		return refuse(255, "Cannot find device %q", q.dev)
	}
	if d, _ := named(devices, q.bridge); q.bridge != "" && d.Kind != control.KindBridge {
		return refuse(255, "Cannot find bridge device %q", q.bridge)
	}
	states := []string{"permanent", "static", "stale", "reachable"}
	if q.state != "" && !slices.Contains(states, q.state) {
		return refuse(255, "Error: argument %q is wrong: invalid state", q.state)
	}
	rows = choose(rows, func(r view.FDBRow) bool {
		d, _ := named(devices, r.Ifname)
		return (q.dev == "" || r.Ifname == q.dev) && (q.bridge == "" || q.bridge == d.Master || q.bridge == d.Name) &&
			(!q.dynamic || r.State == "") && (q.state == "" || r.State == q.state || q.state == "reachable" && r.State == "")
	})
	o := view.FDBOptions{Stats: b.stats, NoDev: q.dev != ""}
	return b.write(b.format, view.BridgeFDBJSON(rows, o), func() error { return view.BridgeFDB(b.Out, rows, o) })
}

// fdbRows gets the tables of all switches.
func (t Tool) fdbRows(ctx context.Context) ([]view.FDBRow, []control.Device, error) {
	devices, err := t.devices(ctx)
	if err != nil {
		return nil, nil, err
	}
	var entries []control.FDBEntry
	err = t.Lab.Get(ctx, "/v1/fdb", nil, &entries)
	return view.FDBRows(devices, entries), devices, err
}

// changeFDB answers `bridge fdb { add | replace | del } MAC dev NAME master [static [sticky]]`.
func (b *bridge) changeFDB(ctx context.Context, command string) error {
	var mac, dev string
	var master, static, sticky bool
	for {
		word, more := b.next()
		if !more {
			break
		}
		var err error
		switch word {
		case "dev":
			err = b.set(word, &dev)
		case "master":
			master = true
		case "static":
			static = true
		case "sticky":
			sticky = true
		case "self", "local", "permanent", "temp", "dynamic", "extern_learn", "vlan", "dst", "vni", "via", "nhid", "use", "router", "src_vni", "port":
			err = b.unanswered(word)
		default:
			err = place(word, &mac, "to")
		}
		if err != nil {
			return err
		}
	}
	devices, err := b.devices(ctx)
	if err != nil {
		return err
	}
	d, ok := named(devices, dev)
	switch {
	case dev == "" || mac == "":
		return refuse(255, "Device and address are required arguments.")
	case !ok:
		return refuse(255, "Cannot find device %q", dev)
	case !master || command != "delete" && !static:
		return refuse(255, `Error: only entries of the switch are answered here: want "master static" behind the device; "master" to delete.`)
	case d.Master == "":
		return refuse(255, "RTNETLINK answers: Operation not supported")
	}
	station, err := hardware(mac)
	if err != nil {
		return err
	}
	var entries []control.FDBEntry
	if err := b.Lab.Get(ctx, "/v1/fdb", nil, &entries); err != nil {
		return err
	}
	there := slices.ContainsFunc(entries, func(e control.FDBEntry) bool {
		return e.MAC == station && e.Master == d.Master && (e.Ifname == d.Host || command == "add") && (e.State != "" || command == "delete")
	})
	values := map[string]string{"port": d.Host, "sticky": map[bool]string{true: "on", false: "off"}[sticky]}
	switch {
	case command == "add" && there:
		return refuse(255, "RTNETLINK answers: File exists")
	case command == "delete" && !there:
		return refuse(255, "RTNETLINK answers: No such file or directory")
	case command == "delete":
		values = map[string]string{"port": "none"}
	}
	return b.Lab.Do(ctx, http.MethodPost, "/v1/set", nil, world.Change{Kind: "fdb", Name: station.String(), Network: d.Master, Values: values}, nil)
}
