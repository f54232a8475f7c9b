package graph

import "uswitch/cmd/internal/control/api"

// Lab is what is drawn: rows of the control socket.
type Lab struct {
	Lab       api.Lab
	Hosts     []api.Host
	Networks  []api.Network
	Ports     []api.Port
	Devices   []api.Device
	Published []api.Published
}

// uplinkAddress is the gateway's address on its way out; empty if it has none.
func (l *Lab) uplinkAddress() string {
	for _, d := range l.Devices {
		if (d.Kind == api.KindEther || d.Kind == api.KindNone) && d.Address.IsValid() {
			return d.Address.Addr().String()
		}
	}
	return ""
}

// down reports why nothing passes a cable; empty if something does.
func (l *Lab) down(host string, i api.Interface) string {
	if i.Unplugged != "" {
		return i.Unplugged
	}
	for _, d := range l.Devices {
		if d.Kind == api.KindVeth && d.Host == host && d.Master == i.Network && d.Down {
			return "the interface was taken down"
		}
	}
	return ""
}
