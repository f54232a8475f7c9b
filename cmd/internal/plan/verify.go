package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Verify finds what a plan of this package's own making never has. A plan that came from somewhere else - over a socket -
// is as good as one of its own once Verify has nothing to say, except for its rules, which package rule reads.
func (p *Plan) Verify() error {
	if err := ValidateName("lab name", p.Name); err != nil {
		return err
	}
	if len(p.Networks) > maxNames || len(p.Hosts) > maxNames {
		return fmt.Errorf("%d networks and %d hosts: want at most %d of each", len(p.Networks), len(p.Hosts), maxNames)
	}
	if _, err := ParseUplink(p.Uplink.text()); err != nil {
		return err
	}
	sofar := &Plan{Name: p.Name, Uplink: p.Uplink}
	for i := range p.Networks {
		if err := sofar.VerifyNetwork(&p.Networks[i]); err != nil {
			return err
		}
		sofar.Networks = append(sofar.Networks, p.Networks[i])
	}
	for i := range p.Hosts {
		if err := sofar.VerifyHost(&p.Hosts[i]); err != nil {
			return err
		}
		sofar.Hosts = append(sofar.Hosts, p.Hosts[i])
	}
	return errors.Join(p.verifyStations(), p.verifyDependencies())
}

// text returns the uplink's short form, which ParseUplink reads.
func (u Uplink) text() string {
	if u.Kind == UplinkNetns {
		return string(u.Kind) + ":" + u.Netns
	}
	return string(u.Kind)
}

// verifyStations accepts static stations behind hosts that are on the network.
func (p *Plan) verifyStations() error {
	for _, n := range p.Networks {
		for _, e := range n.FDB {
			h := p.Host(e.Host)
			if !e.MAC.IsStation() || h == nil || !slices.ContainsFunc(h.Interfaces, func(i Interface) bool { return i.Network == n.Name }) {
				return fmt.Errorf("network %s: fdb: %v behind %q: want a station's address and a host on the network", n.Name, e.MAC, clip(e.Host, MaxName))
			}
		}
	}
	return nil
}

// verifyDependencies accepts hosts that depend only on hosts before them.
func (p *Plan) verifyDependencies() error {
	before := map[string]bool{}
	for _, h := range p.Hosts {
		for _, d := range h.DependsOn {
			if !before[d.Host] {
				return fmt.Errorf("host %s: depends_on %q: want a host that starts before it", h.Name, clip(d.Host, MaxName))
			}
		}
		before[h.Name] = true
	}
	return nil
}

// noNetwork says which networks there are.
func (p *Plan) noNetwork() string {
	if len(p.Networks) == 0 {
		return "there is no such network; there are none"
	}
	var names []string
	for _, n := range p.Networks {
		names = append(names, n.Name)
	}
	return "there is no such network; there are " + strings.Join(names, ", ")
}
