package uplink

import (
	"net/netip"
	"sync"
	"time"

	"uswitch/switch/trace"
)

// Own says which destinations are the host's own: what is sent there would never leave it. Its method may be called from
// many goroutines, and must not wait for the network.
type Own interface {
	// Owns reports whether a is the host's, as things are now. The error says that the host does not tell.
	Owns(a netip.Addr) (bool, error)
}

// refuses reports whether a destination is closed to the lab, for a flow that begins. What the host does not tell about is
// closed as well: an answer that failed must not be the way in.
func (h *Host) refuses(dst netip.Addr) trace.Reason {
	if r := h.refusesAlways(dst); h.allowHost || r != trace.NoReason {
		return r
	}
	switch own, err := h.own.Owns(dst); {
	case err != nil:
		return trace.HostUnknown
	case own:
		return trace.HostForbidden
	}
	return trace.NoReason
}

// refusesAlways is refuses as far as nobody has to be asked, which is cheap enough for each packet.
func (h *Host) refusesAlways(dst netip.Addr) trace.Reason {
	if !h.allowHost && (dst.IsLoopback() || dst.IsUnspecified() || dst.IsLinkLocalUnicast()) {
		return trace.HostForbidden // of 169.254/16 are the addresses where clouds tell a machine its secrets
	}
	return trace.NoReason
}

// Refuses reports whether a destination is closed to the lab at this moment, and why.
func (h *Host) Refuses(dst netip.Addr) trace.Reason { return h.refuses(dst) }

// addrList is an Own that reads the addresses of the host's interfaces from time to time. It knows of no address that has no
// interface, and of a new one only after refreshAfter: it is for hosts whose routes cannot be asked.
type addrList struct {
	now  func() time.Time
	read func() ([]netip.Prefix, error) // hostPrefixes

	mu   sync.Mutex // guards all below; held while the list is read, since whoever comes meanwhile needs it as well
	at   time.Time  // when the list was read
	list map[netip.Addr]bool
}

// refreshAfter is how long a new address of the host's may stay unknown.
const refreshAfter = time.Second

// Owns implements Own. When the addresses cannot be read, the last list that could be goes on, for what it has; about the
// rest there is the error.
func (l *addrList) Owns(a netip.Addr) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); l.list == nil || now.Sub(l.at) >= refreshAfter {
		prefixes, err := l.read()
		if err != nil {
			return l.list[a], err
		}
		l.at, l.list = now, make(map[netip.Addr]bool, len(prefixes))
		for _, p := range prefixes {
			l.list[p.Addr()] = true
		}
	}
	return l.list[a], nil
}
