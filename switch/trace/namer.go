package trace

import (
	"net/netip"

	"uswitch/switch/frame"
)

// namer turns addresses into what a person calls them. Its Names may be nil.
type namer struct{ names Names }

func (n namer) nameMAC(m frame.MAC) (string, bool) {
	if n.names == nil {
		return "", false
	}
	return n.names.NameMAC(m)
}

func (n namer) mac(m frame.MAC) string {
	if m.IsBroadcast() {
		return "everyone"
	}
	if name, ok := n.nameMAC(m); ok {
		return name
	}
	return m.String()
}

// isName reports whether text, which came from mac or ip, is a name rather than an address.
func (n namer) isName(text string) bool {
	_, notIP := netip.ParseAddr(text)
	_, notMAC := frame.ParseMAC(text)
	return n.names != nil && notIP != nil && notMAC != nil && text != "?"
}

func (n namer) ip(a netip.Addr) string {
	if n.names != nil {
		if name, ok := n.names.Name(a); ok {
			return name
		}
	}
	return a.String()
}

// unknown says why a name that is asked for will not be told to who asks, or nothing.
func (n namer) unknown(asker netip.Addr, name string) string {
	if k, ok := n.names.(Knowing); ok {
		if why, ok := k.Unknown(asker, name); ok {
			return " (" + why + ")"
		}
	}
	return ""
}
