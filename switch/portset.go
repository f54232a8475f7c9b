package vswitch

import "uswitch/switch/trace"

// class of a frame that goes to many: each has its own knob.
type class int

const (
	unknownUnicast class = iota
	multicast
	broadcast
	classes
)

// portSet is an immutable picture of who is plugged in and who takes flooded frames. Every change makes a new one, so a
// frame on its way meets one consistent set and no lock.
type portSet struct {
	all []*Port
	// takers of each class, for a frame from an ordinary port and from an isolated one. The sender may be among them.
	takers   [classes][2]takers
	everyone takers
}

type takers struct {
	ports []*Port
	names []string // of the same ports, for the trace
}

func newPortSet(all []*Port) *portSet {
	set := &portSet{all: all}
	for _, p := range all {
		set.everyone.add(p)
		k := p.knobs.Load()
		for c, takes := range [classes]bool{unknownUnicast: k.Flood, multicast: k.MulticastFlood, broadcast: k.BroadcastFlood} {
			if !takes {
				continue
			}
			set.takers[c][0].add(p)
			if !k.Isolated {
				set.takers[c][1].add(p)
			}
		}
	}
	return set
}

func (t *takers) add(p *Port) {
	t.ports = append(t.ports, p)
	t.names = append(t.names, p.name)
}

// flood returns who takes a frame of a class that came from p, p itself perhaps included; p is nil for the local station.
// What that one says to all or to a group reaches every port, as in the Linux bridge (br_flood): its ARP is among it.
func (set *portSet) flood(c class, p *Port) *takers {
	switch {
	case p == nil && c != unknownUnicast:
		return &set.everyone
	case p != nil && p.knobs.Load().Isolated:
		return &set.takers[c][1]
	}
	return &set.takers[c][0]
}

// nobody says why flood found no taker besides p.
func (set *portSet) nobody(c class, p *Port) trace.Reason {
	switch {
	case set.everyone.others(p) == 0:
		return trace.NoOtherPort
	case set.takers[c][0].others(p) > 0:
		return trace.Isolated
	}
	return trace.NoFlood
}

// others returns how many takers there are besides p.
func (t *takers) others(p *Port) int {
	n := len(t.ports)
	for _, q := range t.ports {
		if q == p {
			n--
		}
	}
	return n
}
