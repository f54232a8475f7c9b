package world

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"uswitch/cmd/internal/lab"
	vswitch "uswitch/switch"
	"uswitch/tap"
)

// Host is one host of the lab: its namespace, the cards in it, and its command.
type Host struct {
	Plan      *lab.Host
	Namespace tap.Namespace
	Cards     []*Card
	service   service
}

// Card is a network card of a host, and the port of the switch that its cable leads to.
type Card struct {
	Plan      *lab.Interface
	Port      *vswitch.Port
	unplugged atomic.Pointer[string] // why; nil while it is plugged in
}

// Unplugged says why the card's cable is out of the switch; ok is false while it is in.
func (c *Card) Unplugged() (why string, ok bool) {
	if p := c.unplugged.Load(); p != nil {
		return *p, true
	}
	return "", false
}

// Hosts returns the hosts in the order in which they start.
func (w *World) Hosts() []*Host { return w.hosts }

// Host returns the host of that name, or nil.
func (w *World) Host(name string) *Host {
	for _, h := range w.hosts {
		if h.Plan.Name == name {
			return h
		}
	}
	return nil
}

// addHosts makes every host: its namespace first, then its cards.
func (w *World) addHosts(ctx context.Context) error {
	for i := range w.plan.Hosts {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := &Host{Plan: &w.plan.Hosts[i]}
		h.service.init(len(h.Plan.Command) > 0)
		if err := w.enter(h); err != nil {
			return err
		}
		for j := range h.Plan.Interfaces {
			if err := w.plugIn(h, &h.Plan.Interfaces[j]); err != nil {
				return fmt.Errorf("host %s: %w", h.Plan.Name, err)
			}
		}
		w.hosts = append(w.hosts, h)
	}
	return nil
}

// enter gives a host its namespace: the one that the lab file names, one of the host's name that is there already, or a
// new one. Only the new one is removed at the end.
func (w *World) enter(h *Host) (err error) {
	if h.Plan.Netns != "" {
		if h.Namespace, err = w.host.Adopt(h.Plan.Netns); err != nil {
			err = fmt.Errorf("%s: services.%s.x-uswitch.netns: %w", w.plan.Source, h.Plan.Name, err)
		}
		return err
	}
	h.Namespace, err = w.host.Create(w.plan.Name, h.Plan.Name)
	if errors.Is(err, fs.ErrExist) && !errors.Is(err, tap.ErrOwned) {
		if h.Namespace, err = w.host.Adopt(h.Plan.Name); err == nil {
			w.report(fmt.Sprintf("%s: the namespace exists already: it is used, and left behind at the end", h.Plan.Name))
		}
		return hostError(h, err)
	}
	if err != nil {
		return hostError(h, err)
	}
	w.undo.add(func() error {
		// Nobody is ended in a namespace that has only the same number: somebody may have deleted ours meanwhile.
		if now, err := w.host.Adopt(h.Namespace.Path); err == nil && now.ID == h.Namespace.ID {
			endInside(h.Namespace)
		}
		return hostError(h, w.host.Release(h.Namespace))
	})
	return nil
}

func hostError(h *Host, err error) error {
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Plan.Name, err)
	}
	return nil
}
