package world

import (
	"fmt"
	"net/netip"
)

// takenPorts is the ports that are open, and whose. The outside reaches every port at the uplink's one address, so that a rule
// can tell them apart by number only.
type takenPorts map[takenPort]string

type takenPort struct {
	proto string
	port  uint16
}

// takenPorts returns the ports that are open now.
func (w *World) takenPorts() takenPorts {
	taken := takenPorts{}
	for _, p := range w.Published() {
		taken.add(p)
	}
	return taken
}

func (t takenPorts) add(p *Published) {
	if !p.routed {
		t[takenPort{p.Proto, p.HostPort}] = p.Host
	}
}

// listen takes the first port of the range that can be had; without one it leaves p as it was. It needs a change that has
// begun.
func (w *World) listen(p *Published, taken takenPorts) (err error) {
	if p.routed {
		p.scope = w.scope.open()
		return nil // nothing is translated, and so nobody has to listen
	}
	for port := int(p.HostPort); port <= max(int(p.HostPort), int(p.HostPortEnd)); port++ {
		if other, ok := taken[takenPort{p.Proto, uint16(port)}]; ok && port != 0 {
			err = fmt.Errorf("port %d/%s is published already, for %s", port, p.Proto, other)
			continue
		}
		var had uint16
		var end func() error
		if had, end, err = w.way.listen(p.Proto, netip.AddrPortFrom(p.HostIP, uint16(port))); err == nil {
			p.HostPort, p.HostPortEnd, p.scope = had, 0, w.scope.open()
			p.scope.add(end)
			return nil
		}
	}
	return err
}
