package world

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	"uswitch/nat/uplink"
	"uswitch/tap"
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
	h.cleanup.add(func() error { return hostError(h, w.host.Files(name, namespace, nil)) })
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

func ownsFiles(h *Host) bool {
	return !h.Plan.Bare && (h.Plan.Mode == plan.ModeOwn || h.Plan.Mode == plan.ModeNone)
}

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

// ownNetwork is the namespace that uswitch itself runs in, by a path that leads there from other processes too.
func ownNetwork() string { return fmt.Sprintf("/proc/%d/ns/net", os.Getpid()) }

// enter gives a host its namespace: that of another host or of this machine, the one that the lab file names, one of the
// host's name that is there already if somebody wants that (Options.Adopt), or a new one. Only the new one is removed at the end. That of another host is known when
// the host is plugged in.
func (w *World) enter(h *Host) (err error) {
	p := w.Plan()
	switch {
	case h.Plan.Mode == plan.ModeShared:
		return nil
	case h.Plan.Mode == plan.ModeHost:
		h.Namespace, err = w.host.Adopt(ownNetwork())
		return hostError(h, err)
	case h.Plan.Netns != "":
		if h.Namespace, err = w.host.Adopt(h.Plan.Netns); err != nil {
			err = fmt.Errorf("%s: services.%s.x-uswitch.netns: %w", p.Source, h.Plan.Name, err)
		}
		return err
	}
	h.Namespace, err = w.host.Create(p.Name, h.Plan.Name)
	if errors.Is(err, fs.ErrExist) && !errors.Is(err, tap.ErrOwned) {
		if !w.adopt {
			return hostError(h, fmt.Errorf("a namespace %s is there already, and is no lab's: to use it as it is, write `x-uswitch: {netns: %[1]s}` "+
				"at the service, or bring the lab up with --adopt; to be rid of it: ip netns del %[1]s", h.Plan.Name))
		}
		h.Namespace, err = w.host.Adopt(h.Plan.Name)
		h.adopted = err == nil
		return hostError(h, err)
	}
	if err != nil {
		return hostError(h, err)
	}
	namespace := h.Namespace
	h.cleanup.add(func() error {
		// Nobody is ended in a namespace that has only the same number: somebody may have deleted ours meanwhile.
		if now, err := w.host.Adopt(namespace.Path); err == nil && now.ID == namespace.ID {
			w.reaper.end(namespace)
		}
		return hostError(h, w.host.Release(namespace))
	})
	return nil
}

func hostError(h *Host, err error) error {
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Plan.Name, err)
	}
	return nil
}
