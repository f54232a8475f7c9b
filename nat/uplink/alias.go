package uplink

import "net/netip"

// alias is a port of HostConfig.Gateway that stands for a client of the host's own.
type alias struct {
	port outside
	refs int
}

// seenAs returns the address and port that the inside sees of a client, until leave is called.
func (h *Host) seenAs(proto uint8, client netip.AddrPort) (seen netip.AddrPort, ok bool) {
	if !client.Addr().IsLoopback() && client.Addr() != h.addr {
		return client, true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := aliased{proto, client}
	a := h.aliases[key]
	for range 1 << 16 {
		if a != nil {
			break
		}
		h.lastAlias++ // round and round, so that a port rests before the next one gets it
		if port := (outside{proto, h.lastAlias}); port.port >= 1024 && !h.aliasPorts[port] {
			a = &alias{port: port}
			h.aliases[key], h.aliasPorts[port] = a, true
		}
	}
	if a == nil {
		return netip.AddrPort{}, false
	}
	a.refs++
	return netip.AddrPortFrom(h.gateway, a.port.port), true
}

// leave ends one seenAs.
func (h *Host) leave(proto uint8, client netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := aliased{proto, client}
	if a := h.aliases[key]; a != nil {
		if a.refs--; a.refs == 0 {
			delete(h.aliases, key)
			delete(h.aliasPorts, a.port)
		}
	}
}

// aliased is a client that has an alias.
type aliased struct {
	proto  uint8
	client netip.AddrPort
}
