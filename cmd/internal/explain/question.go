package explain

import (
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// target is a question with its destination found out.
type target struct {
	api.Question
	addr netip.Addr
	name bool // To was a name that only DNS knows
}

// proto returns the protocol's number.
func (t *target) proto() uint8 {
	switch t.Protocol {
	case "tcp":
		return frame.ProtoTCP
	case "udp":
		return frame.ProtoUDP
	}
	return frame.ProtoICMP
}

// packet is what is sent.
func (t *target) packet() sim.Question {
	return sim.Question{Proto: t.proto(), To: netip.AddrPortFrom(t.addr, t.Port), FromPort: t.FromPort, Size: t.Size, DontFragment: t.DontFragment}
}

// check finds out what is asked, or says what is wrong with the question.
func (l *Lab) check(q api.Question) (*target, error) {
	q.From, q.To = l.home(q.From), l.home(q.To)
	t := &target{Question: q}
	for _, name := range []string{q.From, q.To} {
		if home, away := l.Homes[name]; away && home == "" {
			return nil, words.Errorf("%s is in this machine's own namespace: what it sends is not on any network of the lab", name)
		}
	}
	switch {
	case q.From != api.Outsider && q.From != api.Machine && l.host(q.From) == nil:
		return nil, words.Errorf("host %q: there is no such host; there are %s", q.From, strings.Join(append(l.hostNames(), api.Machine, api.Outsider), ", "))
	case q.From == api.Outsider && l.uplink() == nil:
		return nil, words.Errorf("nobody outside can ask: the lab has no way out, and so no way in")
	case !slices.Contains([]string{"icmp", "tcp", "udp"}, q.Protocol):
		return nil, words.Errorf("protocol %q: want icmp, tcp or udp", q.Protocol)
	case (q.Protocol == "icmp") != (q.Port == 0):
		return nil, words.Errorf("%s: want a port with tcp and udp, and none with icmp", q.Protocol)
	case q.FromPort != 0 && q.Protocol == "icmp":
		return nil, words.Errorf("from port %d: a ping has no ports: want tcp or udp", q.FromPort)
	case q.Size < 0 || q.Size > maxSize:
		return nil, words.Errorf("size %d: want 0 to %d bytes", q.Size, maxSize)
	}
	if h := l.host(q.From); h != nil && q.FromPort != 0 && isServed(h, q.Protocol, q.FromPort) {
		return nil, words.Errorf("from port %d: a server in %s has it, and nobody else can send from there", q.FromPort, q.From)
	}
	if a, err := netip.ParseAddr(q.To); err == nil {
		if !a.Is4() {
			return nil, words.Errorf("address %v: explain, why-not and reach ask in IPv4 only, whatever the lab speaks", a)
		}
		t.addr = a
	} else if a, err := l.addrOf(q); err != nil {
		return nil, err
	} else if t.addr = a; !a.IsValid() {
		if t.name = true; q.From == api.Machine {
			return nil, words.Errorf("%s: whom the machine asks for names is not known: want an address", q.To)
		}
	}
	if up := l.uplink(); q.From == api.Outsider && t.addr != up.Addr().Addr() {
		if l.isOutside(t.addr) {
			return nil, words.Errorf("%w: what somebody outside sends to %s never comes to the lab", errOutside, q.To)
		}
		return nil, words.Errorf("%s: outside, nobody knows the way to that; the lab's only address there is %v", q.To, up.Addr().Addr())
	}
	return t, nil
}

// isServed reports whether a server in a host has a port, at any of its addresses.
func isServed(h *sim.HostState, protocol string, port uint16) bool {
	open := h.UDP
	if protocol == "tcp" {
		open = h.TCP
	}
	return slices.Contains(open, port) || heldAt(h, protocol, port) != ""
}

// errOutside is a question between two who are both outside.
var errOutside = words.Errorf("both are outside")

// isOutside reports whether an address is none of the lab's networks'.
func (l *Lab) isOutside(a netip.Addr) bool {
	if owner, _ := l.owner(a); owner != nil || !a.IsValid() {
		return false
	}
	leg := l.leg(a)
	return leg == nil || leg == l.uplink()
}

// home returns the host in whose namespace a host is, or the name itself. The machine that the gateway is has two.
func (l *Lab) home(name string) string {
	switch home := l.Homes[name]; {
	case home != "":
		return home
	case name == "host" && l.host(name) == nil:
		return api.Machine
	}
	return name
}

// maxSize is the most data that a ping can carry, in bytes.
const maxSize = 65535 - frame.IPv4Header - frame.ICMPHeader

// addrOf finds the address of a host or of the gateway, the one on the asker's network first. It is invalid for a name
// that only DNS can know.
func (l *Lab) addrOf(q api.Question) (netip.Addr, error) {
	from := l.host(q.From)
	if q.To == api.Machine {
		for _, i := range l.Gateway.Interfaces() {
			if !i.Addr().IsValid() {
				continue
			}
			if q.From == api.Machine || from == nil && i == l.uplink() || from != nil && onNetwork(from, i.Name()) {
				return i.Addr().Addr(), nil
			}
		}
		return netip.Addr{}, addressless{"gateway", l.in("gateway: it has no address on a network of %s", q.From)}
	}
	to := l.host(q.To)
	if to == nil {
		if !strings.Contains(q.To, ".") {
			return netip.Addr{}, words.Errorf("%q: want an address, a name with a dot in it, or one of %s", q.To,
				strings.Join(append(l.hostNames(), "gateway"), ", "))
		}
		return netip.Addr{}, nil
	}
	var found netip.Addr
	for _, c := range to.NICs {
		switch {
		case !c.Addr.IsValid():
		case from != nil && onNetwork(from, c.Network):
			return c.Addr.Addr(), nil
		case !found.IsValid():
			found = c.Addr.Addr()
		}
	}
	if !found.IsValid() {
		return found, addressless{to.Name, l.in("%s has no address: give it one, inside: ip addr add ADDRESS/LENGTH dev %s", to.Name, firstNIC(to))}
	}
	return found, nil
}

// addressless is a destination that has no address to be asked at.
type addressless struct{ who, text string }

func (e addressless) Error() string { return e.text }

func onNetwork(h *sim.HostState, network string) bool {
	return slices.ContainsFunc(h.NICs, func(c sim.NICState) bool { return c.Network == network })
}

func firstNIC(h *sim.HostState) string {
	if len(h.NICs) == 0 {
		return "eth0"
	}
	return h.NICs[0].Name
}

func (l *Lab) hostNames() (names []string) {
	for _, h := range l.Hosts {
		names = append(names, h.Name)
	}
	return names
}
