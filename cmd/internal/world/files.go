package world

import (
	"fmt"
	"os"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	"uswitch/nat/uplink"
)

// addFiles gives a host that is being made its files of /etc. A host in another one's namespace, or in this machine's, has
// what is there.
func (w *World) addFiles(h *Host) error {
	if !ownsFiles(h) {
		return nil
	}
	name, namespace := w.Plan().Name, h.Namespace
	if err := w.giveFiles(h); err != nil {
		return hostError(h, err)
	}
	h.scope.add(func() error { return hostError(h, w.host.Files(name, namespace, nil)) })
	return nil
}

// renewFiles makes the files of a host that has changed what they should be now.
func (w *World) renewFiles(h *Host) {
	if !ownsFiles(h) {
		return
	}
	if err := w.giveFiles(h); err != nil {
		w.report(fmt.Sprintf("%s: %v", h.Plan.Name, err))
	}
}

func ownsFiles(h *Host) bool { return h.Plan.Mode == plan.ModeOwn || h.Plan.Mode == plan.ModeNone }

func (w *World) giveFiles(h *Host) error {
	m := names.Machine{Resolv: names.Resolv{Servers: simResolvers}}
	if w.Plan().Uplink.Kind != plan.UplinkSim {
		m.Resolv, _ = names.NewFile(nil, resolvConf).Read() // without one, it names nobody
	}
	if own, ok := uplink.OutgoingAddr(); ok && w.Plan().Uplink.Kind == plan.UplinkHost {
		m.Addr = own.Addr()
	}
	m.NSSwitch, _ = os.ReadFile("/etc/nsswitch.conf")
	return w.host.Files(w.Plan().Name, h.Namespace, names.Files(w.Plan(), h.Plan, m))
}
