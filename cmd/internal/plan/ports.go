package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// maxPublished bounds the ports that one lab may publish: all that one protocol has at one address. Each is a listener, and a
// range is written in a few letters.
const maxPublished = 65535

// portsOf returns a service's ports as they stand in the file.
func (b *builder) portsOf(service string) []any {
	entries, _ := mapping(b.file, "services", service)["ports"].([]any)
	return entries
}

// publish reads a service's ports in all of Compose's forms.
func (b *builder) publish(h *Host) {
	at := path{"services", h.Name, "ports"}
	entries := b.portsOf(h.Name)
	if len(entries) == 0 || h.Mode == ModeHost || h.Mode == ModeShared { // mode has told of those
		return
	}
	to := b.plan.Inlet(h)
	if to == nil {
		b.warn(b.line(at), "%s: not published: %s is on no network with a way out", at, h.Name)
		return
	}
	if b.plan.Uplink.Kind == UplinkNone {
		b.warn(b.line(at), "%s: reachable from the lab only: its uplink is none", at)
	}
	for i, entry := range entries {
		at := at.to(strconv.Itoa(i))
		b.ignoredInPort(entry, at)
		ports, err := publishEntry(entry, to)
		if err != nil {
			b.wrong(at, "%v", err)
			continue
		}
		b.published += len(ports)
		if b.published > maxPublished {
			b.wrong(at, "more than %d published ports", maxPublished)
			return
		}
		for _, p := range ports {
			if p.HostIP == p.To.Addr() && slices.Contains(h.Ports, p) {
				continue // two ports outside came to the same one inside
			}
			b.claim(p, h.Name, at)
			h.Ports = append(h.Ports, p)
		}
	}
}

// ignoredInPort warns of the keys of a port's mapping that change nothing.
func (b *builder) ignoredInPort(entry any, at path) {
	m, _ := entry.(map[string]any)
	for _, key := range sortedKeys(m) {
		if !slices.Contains(portKeys, key) && !strings.HasPrefix(key, "x-") {
			b.warn(b.line(at.to(key)), "%s: not acted on: Docker does not either, without a swarm", at.to(key))
		}
	}
}

// Inlet is where ports of a host are published: its interface on the network of its default route.
type Inlet struct {
	at       *Interface
	on       *Network
	sixLeads bool // the way out carries IPv6
}

// Inlet returns a host's; nil: it has none.
func (p *Plan) Inlet(h *Host) *Inlet {
	for i := range h.Interfaces {
		if h.Interfaces[i].Name == h.GatewayDev {
			at := &h.Interfaces[i]
			return &Inlet{at, p.Network(at.Network), p.Uplink.carriesIPv6()}
		}
	}
	return nil
}

// Open returns a port, of which the addresses are still to be said, as Docker opens it: at hostIP or, if that is the zero Addr,
// where the network publishes, and then at all addresses of IPv6 too if the host has one. A client of IPv6 is led to the host's
// address of IPv6, or as by Docker's proxy to that of IPv4. Where the network is routed there are no ports outside: that of the
// host itself is opened.
func (t *Inlet) Open(p Publish, hostIP netip.Addr) (all []Publish) {
	four, six, port := t.at.Address.Addr(), t.at.Address6.Addr(), p.To.Port()
	lead := func(hostIP, to netip.Addr, mode string) {
		p := p
		if p.HostIP, p.To = hostIP, netip.AddrPortFrom(to, port); mode == "routed" {
			p.HostIP, p.HostPort, p.HostPortEnd = to, port, 0
		}
		all = append(all, p)
	}
	both := !hostIP.IsValid() && t.on.HostIP.IsUnspecified()
	if !hostIP.IsValid() {
		hostIP = t.on.HostIP
	}
	if hostIP.Is4() || !six.IsValid() {
		lead(hostIP, four, t.on.GatewayMode)
	}
	if six.IsValid() && (both && t.sixLeads || hostIP.Is6()) {
		if both {
			hostIP = netip.IPv6Unspecified()
		}
		lead(hostIP, six, t.on.IPv6.GatewayMode)
	}
	return all
}

const portsWanted = "want [[HOST_IP:]HOST_PORT:]PORT[/tcp|udp], as in 127.0.0.1:8080:80, or a mapping with target and published"

func publishEntry(entry any, to *Inlet) ([]Publish, error) {
	switch entry := entry.(type) {
	case int:
		return publishShort(strconv.Itoa(entry), to)
	case string:
		return publishShort(entry, to)
	case map[string]any:
		return publishLong(entry, to)
	default:
		return nil, fmt.Errorf("%s", portsWanted)
	}
}

// publishShort reads 80, 8080:80, 127.0.0.1:8080:80/udp and ranges of equal length.
func publishShort(text string, to *Inlet) ([]Publish, error) {
	if ports := rangeLength(text); ports > maxPublished {
		return nil, fmt.Errorf("%q: a range of more than %d ports", clip(text, 60), maxPublished)
	}
	parsed, err := types.ParsePortConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%q: %s", clip(text, 60), portsWanted)
	}
	var all []Publish
	for _, one := range parsed {
		ports, err := newPublish(one.Protocol, one.HostIP, one.Published, strconv.Itoa(int(one.Target)), to)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", clip(text, 60), err)
		}
		all = append(all, ports...)
	}
	return all, nil
}

// rangeLength returns the length of the longest range in a short form, before anybody writes it out.
func rangeLength(text string) int {
	longest := 0
	text, _, _ = strings.Cut(text, "/")
	for part := range strings.SplitSeq(text, ":") {
		first, last, ok := strings.Cut(part, "-")
		low, lowErr := strconv.Atoi(first)
		high, highErr := strconv.Atoi(last)
		if ok && lowErr == nil && highErr == nil {
			longest = max(longest, high-low+1)
		}
	}
	return longest
}

// publishLong reads the mapping. A published range means any free port of it.
func publishLong(m map[string]any, to *Inlet) ([]Publish, error) {
	text := func(key string) string {
		if m[key] == nil {
			return ""
		}
		return fmt.Sprint(m[key])
	}
	all, err := newPublish(text("protocol"), text("host_ip"), text("published"), text("target"), to)
	for i := range all {
		all[i].Label = text("name")
	}
	return all, err
}

func newPublish(proto, hostIP, published, target string, to *Inlet) (all []Publish, err error) {
	var p Publish
	switch strings.ToLower(proto) {
	case "", "tcp":
		p.Proto = "tcp"
	case "udp":
		p.Proto = "udp"
	default:
		return nil, fmt.Errorf("protocol %q: want tcp or udp", clip(proto, 20))
	}
	var at netip.Addr
	if hostIP != "" {
		if at, err = netip.ParseAddr(hostIP); err != nil || at.Zone() != "" || at.Is4In6() {
			return nil, fmt.Errorf("host_ip %q: want an address, as in 127.0.0.1 or ::1", clip(hostIP, 60))
		}
	}
	port, err := parsePort("target", target, 1)
	if err != nil {
		return nil, err
	}
	p.To = netip.AddrPortFrom(netip.Addr{}, port)
	first, last, isRange := strings.Cut(published, "-")
	if first == "" && !isRange {
		return to.Open(p, at), nil
	}
	if p.HostPort, err = parsePort("published", first, 0); err != nil {
		return nil, err
	}
	if isRange {
		if p.HostPortEnd, err = parsePort("published", last, int(p.HostPort)); err != nil {
			return nil, err
		}
	}
	if p.HostPortEnd == p.HostPort {
		p.HostPortEnd = 0
	}
	return to.Open(p, at), nil
}

func parsePort(key, text string, least int) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || int(n) < least {
		return 0, fmt.Errorf("%s %q: want a port from %d to 65535", key, clip(text, 20), least)
	}
	return uint16(n), nil
}

// ParsePublish reads the short form of ports for a host of a lab that exists: 80, 8080:80, 127.0.0.1:8080:80/udp, and
// ranges of equal length.
func ParsePublish(p *Plan, host, text string) ([]Publish, error) {
	h := p.Host(host)
	if h == nil {
		return nil, fmt.Errorf("host %q: there is no such host in lab %s", clip(host, MaxName), p.Name)
	}
	to := p.Inlet(h)
	if to == nil {
		return nil, fmt.Errorf("%s is on no network with a way out", host)
	}
	return publishShort(text, to)
}

// claim is a host port that a service asks for.
type claim struct {
	port  uint16
	proto string
}

// holder is who asks for it, and on which address.
type holder struct {
	ip   netip.Addr
	host string
}

// claim notes a published port, and refuses it where another one would bind the same: the wildcard address holds a port on
// every address. A port that is any free one, or any of a range, collides with nothing yet.
func (b *builder) claim(p Publish, host string, at path) {
	if p.HostPort == 0 || p.HostPortEnd != 0 {
		return
	}
	if b.claims == nil {
		b.claims = make(map[claim][]holder)
	}
	key := claim{p.HostPort, p.Proto}
	for _, other := range b.claims[key] {
		if SameSocket(other.ip, p.HostIP) {
			// The first half is Docker's own sentence.
			b.wrong(at, "Bind for %v failed: port is already allocated: %s publishes %v/%s",
				netip.AddrPortFrom(p.HostIP, p.HostPort), other.host, netip.AddrPortFrom(other.ip, p.HostPort), p.Proto)
			return
		}
	}
	b.claims[key] = append(b.claims[key], holder{p.HostIP, host})
}

// SameSocket reports whether two listeners would bind the same; the wildcard address of a family holds a port on all of them.
func SameSocket(a, b netip.Addr) bool {
	return a == b || a.Is4() == b.Is4() && (a.IsUnspecified() || b.IsUnspecified())
}
