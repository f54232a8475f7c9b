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
	to := b.plan.inlet(h)
	if !to.addr.IsValid() {
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
			if to.routed && slices.Contains(h.Ports, p) {
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

// inlet is what a port of a host is published with unless it says otherwise: the host's address on the network of its
// default route, and where that network publishes.
type inlet struct {
	addr, hostIP netip.Addr
	routed       bool // there are no ports outside: those of the host itself are opened
}

func (p *Plan) inlet(h *Host) inlet {
	for _, i := range h.Interfaces {
		if i.Name == h.GatewayDev {
			n := p.Network(i.Network)
			return inlet{i.Address.Addr(), n.HostIP, n.GatewayMode == "routed"}
		}
	}
	return inlet{}
}

const portsWanted = "want [[HOST_IP:]HOST_PORT:]PORT[/tcp|udp], as in 127.0.0.1:8080:80, or a mapping with target and published"

func publishEntry(entry any, to inlet) ([]Publish, error) {
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
func publishShort(text string, to inlet) ([]Publish, error) {
	if ports := rangeLength(text); ports > maxPublished {
		return nil, fmt.Errorf("%q: a range of more than %d ports", clip(text, 60), maxPublished)
	}
	parsed, err := types.ParsePortConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%q: %s", clip(text, 60), portsWanted)
	}
	var all []Publish
	for _, one := range parsed {
		p, err := newPublish(one.Protocol, one.HostIP, one.Published, strconv.Itoa(int(one.Target)), to)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", clip(text, 60), err)
		}
		all = append(all, p)
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
func publishLong(m map[string]any, to inlet) ([]Publish, error) {
	text := func(key string) string {
		if m[key] == nil {
			return ""
		}
		return fmt.Sprint(m[key])
	}
	p, err := newPublish(text("protocol"), text("host_ip"), text("published"), text("target"), to)
	if err != nil {
		return nil, err
	}
	p.Label = text("name")
	return []Publish{p}, nil
}

func newPublish(proto, hostIP, published, target string, to inlet) (p Publish, err error) {
	defer func() {
		if to.routed {
			p.HostIP, p.HostPort, p.HostPortEnd = to.addr, p.To.Port(), 0
		}
	}()
	switch strings.ToLower(proto) {
	case "", "tcp":
		p.Proto = "tcp"
	case "udp":
		p.Proto = "udp"
	default:
		return p, fmt.Errorf("protocol %q: want tcp or udp", clip(proto, 20))
	}
	p.HostIP = to.hostIP
	if hostIP != "" {
		if p.HostIP, err = parseAddr(hostIP); err != nil {
			return p, fmt.Errorf("host_ip %w", err)
		}
	}
	port, err := parsePort("target", target, 1)
	if err != nil {
		return p, err
	}
	p.To = netip.AddrPortFrom(to.addr, port)
	first, last, isRange := strings.Cut(published, "-")
	if first == "" && !isRange {
		return p, nil
	}
	if p.HostPort, err = parsePort("published", first, 0); err != nil {
		return p, err
	}
	if isRange {
		if p.HostPortEnd, err = parsePort("published", last, int(p.HostPort)); err != nil {
			return p, err
		}
	}
	if p.HostPortEnd == p.HostPort {
		p.HostPortEnd = 0
	}
	return p, nil
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
	to := p.inlet(h)
	if !to.addr.IsValid() {
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
		if other.ip == p.HostIP || other.ip.IsUnspecified() || p.HostIP.IsUnspecified() {
			// The first half is Docker's own sentence.
			b.wrong(at, "Bind for %v failed: port is already allocated: %s publishes %v/%s",
				netip.AddrPortFrom(p.HostIP, p.HostPort), other.host, netip.AddrPortFrom(other.ip, p.HostPort), p.Proto)
			return
		}
	}
	b.claims[key] = append(b.claims[key], holder{p.HostIP, host})
}
