package world

import (
	"net/netip"
	"os/exec"

	"uswitch/tap"
)

// StartIn starts a program inside a host besides the host's own command, with rights of its own. Whoever starts it looks after
// it; it is ended with the host at the latest.
func (w *World) StartIn(host string, cmd *exec.Cmd, r tap.Rights) (tap.Process, error) {
	h, err := w.findHost(host)
	if err != nil {
		return nil, err
	}
	return w.host.StartAs(h.Namespace, cmd, r)
}

// Taken returns the networks of this machine, among which no subnet is chosen for a network that comes later.
func (w *World) Taken() []netip.Prefix { return w.taken() }
