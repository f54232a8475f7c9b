package names

import (
	"fmt"
	"net/netip"
	"strings"
)

// Unknown returns what says why a name of the lab means nothing to an asker; ok is false if it does mean something, and for
// names that nobody in the lab has.
func Unknown(r Records) func(asker netip.Addr, name string) (why string, ok bool) {
	z := newZone(r)
	return func(from netip.Addr, name string) (why string, ok bool) {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		a, n := z.asker(from), z.bearer(name)
		switch {
		case a == nil || n == nil || a.lookUp(name) != nil:
			return "", false
		case len(a.places) == 0:
			return "on bridge, the default network, nobody has a name", true
		case n.Nameless:
			return fmt.Sprintf("%s is on bridge, the default network, where nobody has a name", name), true
		}
		return fmt.Sprintf("%s is on no network that the asker is on", name), true
	}
}

// bearer returns a network on which somebody has a name in lower case, one that has names if there is any, or nil.
func (z *zone) bearer(name string) (found *network) {
	for _, n := range z.networks {
		if n.addrs[name] != nil && (found == nil || found.Nameless) {
			found = n
		}
	}
	return found
}
