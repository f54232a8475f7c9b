package sim

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// ParseTopology reads a topology as scenarios have it, a line for each thing; # begins a comment:
//
//	network br0 11.11.11.0/24 gateway 11.11.11.1     also: mtu 1400, ageing 60s, fdb_max_learned 100; gateway none
//	host RED br0 11.11.11.2                          also: mac, mtu, gateway 11.11.11.9 or none, latency 1ms, loss 0.1,
//	                                                 duplicate 0.1, reorder 0.1, and a port's knobs: isolated on
//	host RED br1 22.22.22.2                          a second line gives the host a second card
//	uplink sim                                       also: hop 4ms
//	ip_forward 0
//	seed 7
//	rule -t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE
//
// Without gateway, the gateway has the network's first address, as in Docker. Errors name the line.
func ParseTopology(text string) (Topology, error) {
	var t Topology
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := t.line(words, strings.TrimSpace(line)); err != nil {
			return t, fmt.Errorf("topology:%d: %w", number, err)
		}
	}
	return t, nil
}

func (t *Topology) line(words []string, line string) (err error) {
	rest := words[1:]
	switch words[0] {
	case "network":
		return t.networkLine(rest)
	case "host":
		return t.hostLine(rest)
	case "uplink":
		return t.uplinkLine(rest)
	case "rule":
		t.Rules = append(t.Rules, strings.TrimSpace(strings.TrimPrefix(line, "rule")))
		return nil
	case "ip_forward":
		if len(rest) != 1 || rest[0] != "0" && rest[0] != "1" {
			return fmt.Errorf("ip_forward: want 0 or 1")
		}
		t.NoForwarding = rest[0] == "0"
		return nil
	case "seed":
		if len(rest) == 1 {
			t.Seed, err = strconv.ParseUint(rest[0], 10, 64)
		}
		if len(rest) != 1 || err != nil {
			return fmt.Errorf("seed: want a number")
		}
		return nil
	}
	return fmt.Errorf("%q: want network, host, uplink, rule, ip_forward or seed", words[0])
}

func (t *Topology) networkLine(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("network: want a name and a subnet, as in: network br0 11.11.11.0/24")
	}
	subnet, err := netip.ParsePrefix(words[1])
	if err != nil || !subnet.Addr().Is4() {
		return fmt.Errorf("network %s: subnet %q: want an IPv4 prefix, as in 11.11.11.0/24", words[0], words[1])
	}
	n := NetworkConfig{Name: words[0], Subnet: subnet.Masked(), Gateway: subnet.Masked().Addr().Next()}
	err = readOptions(words[2:], options{
		"gateway":         func(s string) error { return addressOption(&n.Gateway, nil, s) },
		"mtu":             func(s string) error { return numberOption(&n.MTU, s) },
		"ageing":          func(s string) error { return durationOption(&n.Ageing, s) },
		"fdb_max_learned": func(s string) error { return numberOption(&n.MaxLearned, s) },
	})
	if err != nil {
		return fmt.Errorf("network %s: %w", n.Name, err)
	}
	t.Networks = append(t.Networks, n)
	return nil
}

func (t *Topology) hostLine(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("host: want a name, a network and an address, as in: host RED br0 11.11.11.2")
	}
	h := t.host(words[0])
	knobs := vswitch.DefaultKnobs()
	card := CardConfig{Network: words[1], Knobs: &knobs}
	if err := addressOption(&card.Addr, nil, words[2]); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	known := options{
		"mac":       func(s string) (err error) { card.MAC, err = frame.ParseMAC(s); return err },
		"mtu":       func(s string) error { return numberOption(&card.MTU, s) },
		"gateway":   func(s string) error { return addressOption(&h.Gateway, &h.NoGateway, s) },
		"latency":   func(s string) error { return durationOption(&card.Wire.Latency, s) },
		"loss":      func(s string) error { return chanceOption(&card.Wire.Loss, s) },
		"duplicate": func(s string) error { return chanceOption(&card.Wire.Duplicate, s) },
		"reorder":   func(s string) error { return chanceOption(&card.Wire.Reorder, s) },
	}
	for name, set := range knobOptions(&knobs) {
		known[name] = set
	}
	if err := readOptions(words[3:], known); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	h.Cards = append(h.Cards, card)
	return nil
}

// host finds or adds a host.
func (t *Topology) host(name string) *HostConfig {
	for i := range t.Hosts {
		if t.Hosts[i].Name == name {
			return &t.Hosts[i]
		}
	}
	t.Hosts = append(t.Hosts, HostConfig{Name: name})
	return &t.Hosts[len(t.Hosts)-1]
}

func (t *Topology) uplinkLine(words []string) error {
	if len(words) == 0 || words[0] != "sim" && words[0] != "none" {
		return fmt.Errorf("uplink: want sim or none")
	}
	var c InternetConfig
	err := readOptions(words[1:], options{"hop": func(s string) error { return durationOption(&c.Hop, s) }})
	if err != nil {
		return fmt.Errorf("uplink: %w", err)
	}
	if t.Internet = &c; words[0] == "none" {
		t.Internet = nil
	}
	return nil
}
