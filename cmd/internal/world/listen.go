package world

import (
	"fmt"
	"net/netip"
)

// listen takes the first port of the range that can be had; without one it leaves p as it was. It needs a change that has
// begun.
func (w *World) listen(p *Published) (err error) {
	if p.routed {
		p.scope = w.scope.open()
		return nil // nothing is translated, and so nobody has to listen
	}
	for port := int(p.HostPort); port <= max(int(p.HostPort), int(p.HostPortEnd)); port++ {
		for _, other := range w.Published() {
			// The outside reaches every port at the uplink's one address, so that a rule can tell them apart by number only.
			if !other.routed && other.HostPort == uint16(port) && port != 0 && other.Proto == p.Proto {
				err = fmt.Errorf("port %d/%s is published already, for %s", port, p.Proto, other.Host)
			}
		}
		if err == nil {
			var had uint16
			var end func() error
			if had, end, err = w.way.listen(p.Proto, netip.AddrPortFrom(p.HostIP, uint16(port))); err == nil {
				p.HostPort, p.HostPortEnd, p.scope = had, 0, w.scope.open()
				p.scope.add(end)
				return nil
			}
		}
		if port < int(p.HostPortEnd) {
			err = nil
		}
	}
	return err
}
