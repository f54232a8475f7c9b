package sim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// Topology is everything that a World is built from. It is plain data.
type Topology struct {
	Seed     uint64 // of all chance; 0 is a seed like any other
	Networks []NetworkConfig
	Hosts    []HostConfig
	Internet *InternetConfig // nil: the lab has no way out
	// Rules are lines in iptables syntax, without the word iptables or with it.
	Rules        []string
	NoForwarding bool // ip_forward=0
}

// NetworkConfig describes one switch and the gateway's place on it. Zero values of the optional fields mean what they mean
// to vswitch.Config and nat.InterfaceConfig.
type NetworkConfig struct {
	Name       string       // br0
	Subnet     netip.Prefix // required: host addresses belong to it
	Gateway    netip.Addr   // the gateway's address; invalid: the gateway does not stand on this network
	GatewayMAC frame.MAC    // zero: made of the address, as Docker does
	MTU        int          // bytes of an IP packet; 0: 1500
	Filtered   bool         // what is bridged passes the gateway's rules too, as with br_netfilter
	Ageing     time.Duration
	MaxLearned int
}

// HostConfig describes one host.
type HostConfig struct {
	Name  string
	Cards []CardConfig // eth0, eth1, ...
	// Gateway is the next hop of the default route; invalid: the gateway of the first network that has one.
	Gateway   netip.Addr
	NoGateway bool // no default route at all
}

// CardConfig describes a host's place on a network: card, cable and port.
type CardConfig struct {
	Network string
	Addr    netip.Addr
	MAC     frame.MAC      // zero: made of the address, as Docker does
	MTU     int            // bytes of an IP packet; 0: the network's
	Knobs   *vswitch.Knobs // of the port; nil: DefaultKnobs
	Wire    WireConfig     // a latency of 0 means DefaultLatency
}

// DefaultLatency is how long a frame takes over a host's cable unless the topology says otherwise. It is about what a
// frame takes through a TAP.
const DefaultLatency = 50 * time.Microsecond

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

// options are the words that may follow, each with its value.
type options map[string]func(value string) error

func readOptions(words []string, known options) error {
	for ; len(words) > 0; words = words[min(2, len(words)):] {
		set := known[words[0]]
		switch {
		case set == nil:
			return fmt.Errorf("%q: want one of %s", words[0], strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case len(words) == 1:
			return fmt.Errorf("%s: a value is missing", words[0])
		}
		if err := set(words[1]); err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
	}
	return nil
}

// knobOptions sets a port's knobs by the names that the Linux bridge has for them.
func knobOptions(k *vswitch.Knobs) options {
	o := options{"storm_limit": func(s string) error { return numberOption(&k.StormLimit, s) }}
	for name, knob := range map[string]*bool{"learning": &k.Learning, "flood": &k.Flood, "mcast_flood": &k.MulticastFlood,
		"bcast_flood": &k.BroadcastFlood, "isolated": &k.Isolated} {
		o[name] = func(s string) error { return switchOption(knob, s) }
	}
	return o
}

func addressOption(a *netip.Addr, none *bool, s string) (err error) {
	if s == "none" {
		*a = netip.Addr{}
		if none != nil {
			*none = true
		}
		return nil
	}
	if *a, err = netip.ParseAddr(s); err != nil || !a.Is4() {
		return fmt.Errorf("%q: want an IPv4 address", s)
	}
	return nil
}

func numberOption(n *int, s string) (err error) {
	if *n, err = strconv.Atoi(s); err != nil || *n < 0 || *n > 1<<20 {
		return fmt.Errorf("%q: want a number from 0 to %d", s, 1<<20)
	}
	return nil
}

func durationOption(d *time.Duration, s string) (err error) {
	if *d, err = time.ParseDuration(s); err != nil || *d < 0 || *d > maxDuration {
		return fmt.Errorf("%q: want a time up to %v, as in 300s or 1.5ms", s, maxDuration)
	}
	return nil
}

// maxDuration keeps sums of times far from overflow.
const maxDuration = 30 * 24 * time.Hour

func chanceOption(p *float64, s string) (err error) {
	if *p, err = strconv.ParseFloat(s, 64); err != nil || !(*p >= 0 && *p <= 1) {
		return fmt.Errorf("%q: want a number from 0 to 1", s)
	}
	return nil
}

func switchOption(b *bool, s string) error {
	if s != "on" && s != "off" {
		return fmt.Errorf("%q: want on or off", s)
	}
	*b = s == "on"
	return nil
}
