package uplink

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// Listener is a published port: what arrives there enters the gateway as packets from the client's own address to the
// uplink's address and this port. A DNAT rule decides who serves it; without one the gateway itself answers that nothing
// listens.
//
// A client whose address cannot appear on a wire, the host itself by loopback or by the uplink's own address, enters with
// HostConfig.Gateway as its source instead, and a port of its own there so that answers find back.
type Listener struct {
	addr netip.AddrPort
	stop func()
}

// Addr returns where it listens, with the port that the kernel chose if port 0 was asked for. Rules see that port.
func (l *Listener) Addr() netip.AddrPort { return l.addr }

// Close unpublishes the port. TCP connections that exist go on. UDP has no connections: whoever calls Close also calls
// Gateway.DropConns for those with this port as their original destination, or the service's answers to them would be
// translated still.
func (l *Listener) Close() error {
	l.stop()
	return nil
}

// Listen publishes a port of the host, for frame.ProtoTCP or frame.ProtoUDP. It takes exactly that address (0.0.0.0:
// all); if somebody has it already, the error names them where the system tells.
func (h *Host) Listen(proto uint8, at netip.AddrPort) (*Listener, error) {
	if !at.Addr().Is4() || proto != frame.ProtoTCP && proto != frame.ProtoUDP {
		return nil, fmt.Errorf("uplink: publish %v/%s: want an IPv4 address and tcp or udp", at, frame.ProtoName(proto))
	}
	var l *Listener
	var err error
	if proto == frame.ProtoTCP {
		l, err = h.listenTCP(at)
	} else {
		l, err = h.listenUDP(at)
	}
	if err != nil {
		return nil, explainListen(proto, at, err)
	}
	return l, nil
}

// explainListen says in a person's words why a port cannot be published.
func explainListen(proto uint8, at netip.AddrPort, err error) error {
	name := fmt.Sprintf("%d/%s", at.Port(), frame.ProtoName(proto))
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		if owner := portOwner(proto, at.Port()); owner != "" {
			return fmt.Errorf("port %s is already allocated by %s", name, owner)
		}
		return fmt.Errorf("port %s is already allocated on %v", name, at.Addr())
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("port %s: %v is not an address of this host", name, at.Addr())
	case errors.Is(err, unix.EACCES) && int(at.Port()) < firstUnprivileged():
		return fmt.Errorf("port %s: ports below %d are root's; `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=%d` opens this one",
			name, firstUnprivileged(), at.Port())
	case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
		return fmt.Errorf("port %s: this machine does not let uswitch listen there, though the number is open to everybody: look at its security modules and filters of system calls (%w)", name, err)
	case errors.Is(err, unix.EMFILE):
		return fmt.Errorf("port %s: no file descriptor is left for it: this process may have %d (ulimit -n)", name, fileLimit())
	}
	return fmt.Errorf("port %s: %w", name, err)
}

// firstUnprivileged is the first port that is not root's (ip(7): ip_unprivileged_port_start).
func firstUnprivileged() int {
	first := 1024
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil {
		_, _ = fmt.Sscan(string(text), &first) // what cannot be read stays as the kernel has it by default
	}
	return first
}

// errFull is what is said when there is no descriptor for one more published port, but those that are kept for others.
var errFull = os.NewSyscallError("socket", unix.EMFILE)

// track makes Close end c, unless the Host is closed already or may have no more of them.
func (h *Host) track(c closer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosed
	case h.room() == 0:
		return errFull
	}
	h.closers[c] = struct{}{}
	return nil
}

func (h *Host) untrack(c closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.closers, c)
}
