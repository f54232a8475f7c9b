package vswitch

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
	takers [classes][2]takers
}

type takers struct {
	ports []*Port
	names []string // of the same ports, for the trace
}

func newPortSet(all []*Port) *portSet {
	set := &portSet{all: all}
	for _, p := range all {
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

// flood returns who takes a frame of a class that came from p, p itself perhaps included; p is nil for the local port.
func (set *portSet) flood(c class, p *Port) *takers {
	if p != nil && p.knobs.Load().Isolated {
		return &set.takers[c][1]
	}
	return &set.takers[c][0]
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
