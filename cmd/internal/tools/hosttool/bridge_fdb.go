package hosttool

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strconv"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// fdbQuestion says what of the tables is asked for.
type fdbQuestion struct {
	dev, bridge, state string
	dynamic            bool
}

func (b *bridge) fdb(ctx context.Context) error {
	command, err := b.command("fdb", []string{"add", "append", "replace", "delete", "get", "show", "lst", "list", "flush", "help"},
		[]string{"add", "append", "replace", "delete", "show", "flush"})
	switch {
	case err != nil:
		return err
	case command == "flush":
		return b.flushFDB(ctx)
	case command != "show":
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
	if d, _ := named(devices, q.bridge); q.bridge != "" && d.Kind != api.KindBridge {
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
func (t Tool) fdbRows(ctx context.Context) ([]view.FDBRow, []api.Device, error) {
	devices, err := t.devices(ctx)
	if err != nil {
		return nil, nil, err
	}
	var entries []api.FDBEntry
	err = t.Lab.Get(ctx, "/v1/fdb", nil, &entries)
	return view.FDBRows(devices, entries), devices, err
}

// changeFDB answers `bridge fdb { add | replace | del } MAC dev NAME master [static [sticky]]`.
func (b *bridge) changeFDB(ctx context.Context, command string) error {
	var mac, dev, dst string
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
		case "dst":
			err = b.set(word, &dst)
		case "self", "permanent": // which an entry of a tunnel is without these words
		case "local", "temp", "dynamic", "extern_learn", "vlan", "vni", "via", "nhid", "use", "router", "src_vni", "port":
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
	case d.Kind == api.KindVXLAN && !master:
		return b.changeRemote(ctx, command, d, mac, dst)
	case dst != "":
		return refuse(255, "RTNETLINK answers: Operation not supported")
	case !master || command != "delete" && !static:
		return refuse(255, `Error: only entries of the switch are answered here: want "master static" behind the device; "master" to delete.`)
	case d.Master == "":
		return refuse(255, "RTNETLINK answers: Operation not supported")
	}
	station, err := hardware(mac)
	if err != nil {
		return err
	}
	var entries []api.FDBEntry
	if err := b.Lab.Get(ctx, "/v1/fdb", nil, &entries); err != nil {
		return err
	}
	there := slices.ContainsFunc(entries, func(e api.FDBEntry) bool {
		return e.MAC == station && e.Master == d.Master && (e.Ifname == d.Port || command == "add") && (e.State != "" || command == "delete")
	})
	values := map[string]string{"port": d.Port, "sticky": map[bool]string{true: "on", false: "off"}[sticky]}
	switch {
	case command == "add" && there:
		return refuse(255, "RTNETLINK answers: File exists")
	case command == "delete" && !there:
		return refuse(255, "RTNETLINK answers: No such file or directory")
	case command == "delete":
		values = map[string]string{"port": "none"}
	}
	return b.Lab.Do(ctx, http.MethodPost, "/v1/set", nil, api.SetRequest{Kind: "fdb", Name: station.String(), Network: d.Master, Values: values}, nil)
}

// changeRemote answers `bridge fdb { add | append | replace | del } MAC dev NAME dst ADDRESS [self] [permanent]`, of a tunnel. The MAC address
// 00:00:00:00:00:00 stands for what is for everyone.
func (b *bridge) changeRemote(ctx context.Context, command string, d api.Device, mac, dst string) error {
	station, err := hardware(mac)
	if err != nil {
		return err
	}
	to, err := netip.ParseAddr(dst)
	if err != nil {
		return refuse(255, "Error: any valid address is expected rather than %q: want \"dst ADDRESS\", of the machine behind which it is.", dst)
	}
	e := api.TunnelEntry{Dev: d.Name, MAC: station, Dst: to, Replace: command == "replace"}
	method := http.MethodPost
	if command == "delete" {
		method = http.MethodDelete
	}
	return b.Lab.Do(ctx, method, "/v1/tunnels", nil, e, nil)
}

// fdbFlush is what `bridge fdb flush` says. Of its selectors the last one of a kind counts.
type fdbFlush struct {
	dev, port, vlan      string
	self, master         bool
	static, sticky, user *bool
	nothing              bool // a kind of entry is wanted that does not exist here
}

// flushFDB answers `bridge fdb flush dev DEV [brport DEV] [self] [master] [[no]static] [[no]dynamic] ...`. A bridge is flushed
// as itself, a port as one of its master's.
func (b *bridge) flushFDB(ctx context.Context) error {
	var f fdbFlush
	for {
		word, more := b.next()
		if !more {
			break
		}
		if err := b.flushWord(&f, word); err != nil {
			return err
		}
	}
	devices, err := b.devices(ctx)
	if err != nil {
		return err
	}
	d, ok := named(devices, f.dev)
	port, found := named(devices, f.port)
	itself := f.self || !f.master
	unsupported := refuse(255, "RTNETLINK answers: Operation not supported")
	switch {
	case f.dev == "":
		return refuse(255, "Device is a required argument.")
	case !ok:
		return refuse(255, "Cannot find bridge device %q", f.dev)
	case f.port != "" && !found:
		return refuse(255, "Cannot find bridge port device %q", f.port)
	case d.Kind == api.KindBridge && !itself, d.Kind != api.KindBridge && (d.Master == "" || !f.master):
		return unsupported
	case f.port != "" && d.Kind == api.KindBridge && port.Kind == api.KindBridge && port.Name != d.Name:
		return refuse(255, "Error: bridge: Flush bridge device does not match target bridge device.")
	case f.port != "" && d.Kind == api.KindBridge && port.Kind != api.KindBridge && port.Master != d.Name:
		return refuse(255, "Error: bridge: Port belongs to a different bridge device.")
	case f.nothing, f.static != nil && f.user != nil && *f.static != *f.user, f.port == d.Name && d.Kind == api.KindBridge:
		return nil // the addresses of the devices themselves stay
	}
	flush := api.FDBFlush{Master: d.Name, Ifname: port.Port, Static: f.static, Sticky: f.sticky}
	if d.Kind != api.KindBridge {
		flush.Master, flush.Ifname = d.Master, d.Port
	}
	if flush.Static == nil {
		flush.Static = f.user
	}
	if err := b.Lab.Do(ctx, http.MethodDelete, "/v1/fdb", nil, flush, nil); err != nil {
		return err
	}
	if d.Kind != api.KindBridge && f.self {
		return unsupported // its master has done its part by then
	}
	return nil
}

// flushWord reads a word of `bridge fdb flush`.
func (b *bridge) flushWord(f *fdbFlush, word string) error {
	is := func(yes bool) *bool { return &yes }
	switch word {
	case "dev":
		dev, err := b.value()
		f.dev = dev
		return err
	case "brport":
		return b.once(word, &f.port)
	case "self":
		f.self = true
	case "master":
		f.master = true
	case "static", "nodynamic":
		f.static = is(true)
	case "dynamic", "nostatic":
		f.static = is(false)
	case "sticky", "nosticky":
		f.sticky = is(word == "sticky")
	case "added_by_user", "noadded_by_user":
		f.user = is(word == "added_by_user")
	case "extern_learn", "offloaded":
		f.nothing = true
	case "noextern_learn", "nooffloaded", "nopermanent":
	case "vlan":
		if err := b.once(word, &f.vlan); err != nil {
			return err
		}
		if id, err := strconv.Atoi(f.vlan); err != nil || id < 1 || id > 4094 {
			return refuse(255, "Error: integer out of range.")
		}
		f.nothing = true
	case "permanent":
		return refuse(255, "Error: %q is not answered by uswitch bridge: the addresses of the devices themselves stay.", word)
	default: // the real one ignores it and flushes all
		return refuse(255, "Error: %q: want dev NAME, brport NAME, [no]static, [no]dynamic, [no]sticky or [no]added_by_user.", word)
	}
	return nil
}
