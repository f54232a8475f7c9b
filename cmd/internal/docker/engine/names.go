package engine

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
)

// composeNames is what a Compose file says of the names that a service knows and of whom it asks for others.
type composeNames struct {
	NetworkMode string   `json:"network_mode"`
	DNS         []string `json:"dns,omitempty"`
	DNSSearch   []string `json:"dns_search,omitempty"`
	DNSOptions  []string `json:"dns_opt,omitempty"`
	ExtraHosts  []string `json:"extra_hosts,omitempty"` // name=address
}

// planNames returns a host that has nothing but those; package plan finds what is wrong with them.
func planNames(c *container) (plan.Host, error) {
	h := c.hostConfig
	names := composeNames{NetworkMode: "none", DNS: h.DNS, DNSSearch: h.DNSSearch, DNSOptions: h.DNSOptions}
	for _, line := range h.ExtraHosts {
		name, address, _ := strings.Cut(line, ":")
		names.ExtraHosts = append(names.ExtraHosts, name+"="+address)
	}
	p, err := parse(map[string]any{"services": map[string]any{"nobody": names}}, nil)
	if err != nil {
		return plan.Host{}, err
	}
	return p.Hosts[0], nil
}

// chooseNames gives a host what its container says of names, and those of the containers that it is linked to when it
// starts, with the addresses that they have now. It needs the lock.
func (e *Engine) chooseNames(c *container, h *plan.Host) error {
	names, err := planNames(c)
	if err != nil {
		return err
	}
	h.DNS, h.DNSSearch, h.DNSOptions, h.ExtraHosts = names.DNS, names.DNSSearch, names.DNSOptions, names.ExtraHosts
	links := slices.Clone(c.hostConfig.Links)
	if s := c.endpoints[bridgeNetwork]; s != nil {
		links = append(links, s.Links...) // elsewhere the name server knows them
	}
	for _, link := range links {
		reference, alias, _ := strings.Cut(link, ":")
		other, err := e.find(reference)
		if err != nil {
			return invalid("could not get container for %s: %v", reference, err)
		}
		address, ok := e.sharedAddress(other, h)
		if !other.state.Running || !ok {
			return invalid("Cannot link to a non running container: /%s AS /%s/%s", other.name, c.name, cmp.Or(alias, other.name))
		}
		for _, name := range []string{cmp.Or(alias, other.name), other.name, other.short()} {
			if one := (plan.ExtraHost{Name: name, Addr: address}); !slices.Contains(h.ExtraHosts, one) {
				h.ExtraHosts = append(h.ExtraHosts, one)
			}
		}
	}
	slices.SortFunc(h.ExtraHosts, func(a, b plan.ExtraHost) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return nil
}

// parseLink reads CONTAINER[:ALIAS] (docker/cli opts/link.go).
func parseLink(text string) (plan.Link, error) {
	name, alias, _ := strings.Cut(text, ":")
	if name == "" || strings.Contains(alias, ":") {
		return plan.Link{}, fmt.Errorf("bad format for links: %q: want CONTAINER or CONTAINER:ALIAS", text)
	}
	return plan.Link{Name: name, Alias: cmp.Or(alias, name)}, nil
}

// sharedAddress returns the address by which a host that is about to be added reaches a container. It needs the lock.
func (e *Engine) sharedAddress(other *container, h *plan.Host) (netip.Addr, bool) {
	for _, i := range h.Interfaces {
		if n := e.lab.Plan().Network(i.Network); n != nil {
			if nic, ok := e.nicOn(other, n); ok {
				return nic.Address.Addr(), true
			}
		}
	}
	return netip.Addr{}, false
}

// A container that is given no name gets one as Docker draws them: an adjective and somebody whom networks owe something.
var (
	adjectives = []string{"admiring", "bold", "brave", "busy", "clever", "compassionate", "cool", "dazzling", "determined", "eager",
		"elated", "elegant", "epic", "fervent", "focused", "friendly", "gallant", "gifted", "happy", "hopeful", "inspiring", "jolly",
		"keen", "kind", "loving", "lucid", "magical", "modest", "nifty", "nostalgic", "optimistic", "peaceful", "practical", "quirky",
		"relaxed", "serene", "sharp", "stoic", "sweet", "tender", "upbeat", "vibrant", "vigilant", "wizardly", "wonderful", "youthful",
		"zealous", "zen"}
	surnames = []string{"baran", "bartik", "bellovin", "berners-lee", "boggs", "cerf", "clark", "cohen", "crocker", "davies", "deering",
		"diffie", "dijkstra", "easley", "engelbart", "feinler", "floyd", "hamilton", "hamming", "hellman", "hopper",
		"jacobson", "johnson", "kahn", "kleinrock", "knuth", "lamarr", "lamport", "licklider", "lovelace", "merkle", "metcalfe",
		"mockapetris", "morse", "nyquist", "perlman", "postel", "pouzin", "rekhter", "ritchie", "roberts", "shannon", "spafford",
		"stearns", "stevens", "taylor", "thompson", "tomlinson", "torvalds", "turing", "wing"}
)

// petname draws a name that is free. After a few that are taken it puts a digit behind.
func (e *Engine) petname(taken func(string) bool) string {
	for try := 0; ; try++ {
		name := adjectives[e.random.IntN(len(adjectives))] + "_" + surnames[e.random.IntN(len(surnames))]
		if try > 5 {
			name += fmt.Sprint(e.random.IntN(10))
		}
		if !taken(name) {
			return name
		}
	}
}
