package hosttool

import (
	"context"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// brctlCommands are those of brctl that are not answered.
var brctlCommands = []string{"addbr", "delbr", "addif", "delif", "hairpin", "setageing", "setbridgeprio", "setfd", "sethello", "setmaxage",
	"setpathcost", "setportprio", "showstp", "stp"}

// Brctl answers `brctl`.
func (t Tool) Brctl(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return refuse(1, "Usage: uswitch brctl show [BRIDGE ...]\n       uswitch brctl showmacs BRIDGE")
	}
	command, names := args[0], args[1:]
	switch {
	case command == "show":
		return t.brctlShow(ctx, names)
	case command == "showmacs" && len(names) == 1:
		return t.brctlMACs(ctx, names[0])
	case command == "showmacs":
		return refuse(1, "Incorrect number of arguments for command\nUsage: brctl showmacs <bridge>\t\tshow a list of mac addrs")
	case slices.Contains(brctlCommands, command):
		return refuse(1, "brctl %s is not answered here; there are show and showmacs.", command)
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
