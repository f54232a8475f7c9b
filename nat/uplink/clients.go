package uplink

import (
	"net/netip"

	"uswitch/switch/frame"
)

// client is who sent to a published UDP port.
type client struct {
	real  netip.AddrPort
	local netip.Addr
}

// clientsKept bounds each of the two generations of a listener's clients. When the young one is full it becomes the old
// one, and who has not written since the time before is forgotten.
const clientsKept = 2048

// forget gives back the names of clients.
func (l *udpListener) forget(gone map[netip.AddrPort]*client) {
	for seen, c := range gone {
		if seen != c.real {
			l.host.leave(frame.ProtoUDP, c.real)
		}
	}
}

// meet remembers a client and returns the name that the inside knows it by.
func (l *udpListener) meet(r received) (netip.AddrPort, bool) {
	seen, ok := l.host.seenAs(frame.ProtoUDP, r.from)
	if !ok {
		return seen, false
	}
	l.mu.Lock()
	_, young := l.young[seen]
	_, old := l.old[seen]
	l.young[seen] = &client{real: r.from, local: r.local}
	delete(l.old, seen)
	var gone map[netip.AddrPort]*client
	if len(l.young) >= clientsKept {
		gone, l.old, l.young = l.old, l.young, map[netip.AddrPort]*client{}
	}
	l.mu.Unlock()
	if seen != r.from && (young || old) {
		l.host.leave(frame.ProtoUDP, r.from) // it held its name already
	}
	l.forget(gone)
	return seen, true
}

// find returns the client behind a name.
func (l *udpListener) find(seen netip.AddrPort) *client {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.young[seen]; c != nil {
		return c
	}
	return l.old[seen]
}
