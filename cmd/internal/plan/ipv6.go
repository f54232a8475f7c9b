package plan

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// IPv6 is what a network has of IPv6, besides what both families share.
type IPv6 struct {
	Subnet   netip.Prefix `json:"subnet"`
	Range    netip.Prefix `json:"range,omitzero"` // where addresses are handed out; zero: the whole subnet
	Reserved []netip.Addr `json:"reserved,omitempty"`
	// Gateway is the gateway's address and the subnet's length: fd00:1::1/64; zero where GatewayMode is isolated.
	Gateway     netip.Prefix `json:"gateway,omitzero"`
	GatewayMode string       `json:"gateway_mode"` // as Network.GatewayMode
	// RA says what the gateway tells hosts that configure themselves: off, on, or other, with which they are told that DHCPv6
	// knows more.
	RA string `json:"ra,omitempty"`
}

// The values of x-uswitch.ra.
const (
	RAOff   = "off"
	RAOn    = "on"
	RAOther = "other"
)

// optionGatewayMode6 is gateway_mode_ipv4's sister.
const optionGatewayMode6 = "com.docker.network.bridge.gateway_mode_ipv6"

// Pool returns the addresses of the network, the gateway's and the reserved ones taken.
func (s *IPv6) Pool() (*ipam.Pool, error) {
	return ipam.New(ipam.Config{Subnet: s.Subnet, Range: s.Range, Gateway: s.Gateway.Addr(), NoGateway: s.withoutGateway(), Aux: s.Reserved})
}

// Advertises reports whether the gateway tells hosts what they configure themselves with.
func (s *IPv6) Advertises() bool { return s.RA == RAOn || s.RA == RAOther }

func (s *IPv6) withoutGateway() bool { return s.GatewayMode == "isolated" }

// ULA returns the network that a Docker host gives its networks subnets of if nobody says otherwise: fd00::/8, and the low 40 bits
// of the first eight bytes of the host's ID's hash (RFC 4193; ipamutils in moby). Each network has a /64 of it.
func ULA(hostID string) netip.Prefix {
	sum := sha256.Sum256([]byte(hostID))
	network := [16]byte{0: 0xfd}
	copy(network[1:6], sum[3:8])
	return netip.PrefixFrom(netip.AddrFrom16(network), 48)
}

// nextULA returns the first /64 of a network that overlaps none of taken.
func nextULA(ula netip.Prefix, taken []netip.Prefix) (netip.Prefix, error) {
	network := ula.Addr().As16()
	for n := range 1 << 16 {
		network[6], network[7] = byte(n>>8), byte(n)
		subnet := netip.PrefixFrom(netip.AddrFrom16(network), 64)
		if !slices.ContainsFunc(taken, subnet.Overlaps) {
			return subnet, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("%v: %w", ula, ipam.ErrNoSubnet)
}

// NextULA returns the next /64 of the lab's own network.
func (p *Plan) NextULA() (netip.Prefix, error) { return nextULA(ULA(p.Name), p.subnets6()) }

// Taken6 reports whether the gateway or a host has an address of a network's IPv6, or nobody may have it.
func (p *Plan) Taken6(n *Network, a netip.Addr) bool {
	pool, err := n.IPv6.Pool()
	if err != nil || pool.Reserve(a) != nil {
		return true
	}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			if i.Network == n.Name && i.Address6.Addr() == a {
				return true
			}
		}
	}
	return false
}

// subnets6 lists what the plan's networks have of IPv6.
func (p *Plan) subnets6() (all []netip.Prefix) {
	for _, n := range p.Networks {
		if n.IPv6 != nil {
			all = append(all, n.IPv6.Subnet)
		}
	}
	return all
}

// fillIPv6 chooses what a network to be added leaves zero of IPv6.
func (p *Plan) fillIPv6(s *IPv6) error {
	if !s.Subnet.IsValid() {
		subnet, err := p.NextULA()
		if err != nil {
			return err
		}
		s.Subnet = subnet
	}
	if s.GatewayMode == "" {
		s.GatewayMode = "nat"
	}
	pool, err := s.Pool()
	if err == nil && !s.withoutGateway() && !s.Gateway.IsValid() {
		s.Gateway = netip.PrefixFrom(pool.Gateway(), s.Subnet.Bits())
	}
	return err
}

// RulesOf returns the lines of the lab's own rules that are for a family, each in the place that it has among all: a line that
// begins with ip6tables is for IPv6, the others for IPv4.
func (p *Plan) RulesOf(family rule.Family) []string {
	if p.Rules == nil {
		return nil
	}
	lines := make([]string, len(p.Rules))
	for i, line := range p.Rules {
		if words, err := rule.SplitLine(line); (err == nil && len(words) > 0 && words[0] == "ip6tables") == (family == rule.IPv6) {
			lines[i] = line
		}
	}
	return lines
}

// verifyIPv6 accepts what a network has of IPv6.
func (p *Plan) verifyIPv6(n *Network) error {
	s := n.IPv6
	if s == nil {
		return nil
	}
	pool, err := s.Pool()
	switch {
	case err != nil:
		return err
	case !s.Subnet.Addr().Is6():
		return fmt.Errorf("ipv6: subnet %v: want an IPv6 network, as in fd00:1::/64", s.Subnet)
	case s.withoutGateway() != !s.Gateway.IsValid() || s.Gateway.IsValid() && s.Gateway != netip.PrefixFrom(pool.Gateway(), s.Subnet.Bits()):
		return fmt.Errorf("ipv6: gateway %v: want an address of %v with its length", s.Gateway, s.Subnet)
	case !slices.Contains(gatewayModes, s.GatewayMode):
		return fmt.Errorf("ipv6: gateway mode %q: want %s", clip(s.GatewayMode, 20), strings.Join(gatewayModes, ", "))
	case s.withoutGateway() && !n.Internal:
		return errors.New("ipv6: gateway mode 'isolated' can only be used for an internal network")
	case n.MTU < frame.IPv6MinMTU:
		return tooNarrow(n.MTU)
	case !slices.Contains([]string{"", RAOff, RAOn, RAOther}, s.RA):
		return fmt.Errorf("ipv6: ra %q: want off, on or other", clip(s.RA, 20))
	}
	for _, other := range p.Networks {
		if other.IPv6 != nil && s.Subnet.Overlaps(other.IPv6.Subnet) {
			return fmt.Errorf("%v: %w: network %s has %v", s.Subnet, ipam.ErrOverlap, other.Name, other.IPv6.Subnet)
		}
	}
	return nil
}

func tooNarrow(mtu int) error {
	return fmt.Errorf("mtu %d: IPv6 wants %d bytes at least (RFC 8200 5)", mtu, frame.IPv6MinMTU)
}

// FreeAddress6 returns the lowest address of a network's IPv6 that no host of the plan has.
func (p *Plan) FreeAddress6(n *Network) (netip.Prefix, error) {
	pool, err := n.IPv6.Pool()
	if err != nil {
		return netip.Prefix{}, err
	}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			if i.Network == n.Name && i.Address6.IsValid() {
				_ = pool.Reserve(i.Address6.Addr())
			}
		}
	}
	a, err := pool.Allocate()
	return netip.PrefixFrom(a, n.IPv6.Subnet.Bits()), err
}

// verifyAddress6 accepts the address of IPv6 that an interface of h has.
func (p *Plan) verifyAddress6(n *Network, i *Interface) error {
	switch a := i.Address6; {
	case n.IPv6 == nil && a.IsValid():
		return fmt.Errorf("%v: the network has no IPv6: want enable_ipv6: true", a.Addr())
	case n.IPv6 == nil:
		return nil
	case a.Masked() != n.IPv6.Subnet || a.Addr() == n.IPv6.Subnet.Addr() && a.Bits() < 127:
		return fmt.Errorf("%v: %w: want the address of a station in %v, and its length", a, ipam.ErrOutOfRange, n.IPv6.Subnet)
	case a == n.IPv6.Gateway:
		return fmt.Errorf("%v: %w: the gateway has it", a.Addr(), ipam.ErrInUse)
	}
	for _, h := range p.Hosts {
		for _, other := range h.Interfaces {
			if other.Network == n.Name && other.Address6.Addr() == i.Address6.Addr() {
				return fmt.Errorf("%v: %w: %s has it", i.Address6.Addr(), ipam.ErrInUse, h.Name)
			}
		}
	}
	return nil
}

// chooseGateway6 points a host's default route of IPv6 as ChooseGateway points that of IPv4.
func (p *Plan) chooseGateway6(h *Host) {
	h.Gateway6, h.GatewayDev6 = netip.Addr{}, ""
	best, full := 0, ""
	for _, i := range h.Interfaces {
		n := p.Network(i.Network)
		if n == nil || n.Internal || n.IPv6 == nil || !n.IPv6.Gateway.IsValid() {
			continue
		}
		if !h.Gateway6.IsValid() || i.GatewayPriority > best || i.GatewayPriority == best && n.Docker < full {
			h.Gateway6, h.GatewayDev6 = n.IPv6.Gateway.Addr(), i.Name
			best, full = i.GatewayPriority, n.Docker
		}
	}
}

// ipv6 reads what a network is to have of IPv6; nil if it does not ask for any.
func (b *builder) ipv6(key string, x *section, o options, mtu int) *IPv6 {
	at, config := path{"networks", key}, b.project.Networks[key]
	ra := x.text("ra")
	if config.EnableIPv6 == nil || !*config.EnableIPv6 {
		if ra != "" {
			x.bad("ra", "the network has no IPv6: want enable_ipv6: true")
		}
		return nil
	}
	s := &IPv6{GatewayMode: o.mode(optionGatewayMode6, config.Internal), RA: ra}
	if !slices.Contains([]string{"", RAOff, RAOn, RAOther}, ra) {
		x.bad("ra", "%q: want off, on or other", clip(ra, 20))
	}
	if mtu < frame.IPv6MinMTU {
		b.wrong(at.to("enable_ipv6"), "%v", tooNarrow(mtu))
	}
	for i, pool := range config.Ipam.Config {
		at := at.to("ipam", "config", strconv.Itoa(i))
		if p, err := netip.ParsePrefix(pool.Subnet); err != nil || !p.Addr().Is6() {
			continue
		}
		if s.Subnet.IsValid() {
			b.wrong(at, "a second IPv6 subnet: want one for each network")
			break
		}
		c := b.pool(pool, at, parsePrefix6, parseAddr6)
		s.Subnet, s.Range, s.Reserved = c.Subnet, c.Range, c.Aux
		if c.Gateway.IsValid() && !s.withoutGateway() {
			s.Gateway = netip.PrefixFrom(c.Gateway, c.Subnet.Bits())
		}
	}
	if !s.Subnet.IsValid() {
		s.Subnet = b.keptSubnet6(b.switches[key])
	}
	if !s.Subnet.IsValid() {
		var err error
		if s.Subnet, err = nextULA(ULA(b.plan.Name), slices.Concat(b.plan.subnets6(), b.named6())); err != nil {
			b.wrong(at.to("enable_ipv6"), "%v", err)
		}
	}
	return s
}

// named6 lists the subnets of IPv6 that the file's networks name, none of which is given to another.
func (b *builder) named6() (all []netip.Prefix) {
	for _, n := range b.project.Networks {
		for _, pool := range n.Ipam.Config {
			if p, err := parsePrefix6(pool.Subnet); err == nil {
				all = append(all, p)
			}
		}
	}
	return all
}

// addIPv6 opens the book of the addresses of IPv6 that a network has.
func (b *builder) addIPv6(n *Network, at path) {
	if n.IPv6 == nil || n.MTU < frame.IPv6MinMTU { // which has been said
		return
	}
	if n.Tunnel != nil {
		b.wrong(at.to("enable_ipv6"), "a network that goes on on other machines has IPv4 only")
		return
	}
	err := b.plan.fillIPv6(n.IPv6)
	if err == nil {
		err = b.plan.verifyIPv6(n)
	}
	if err != nil {
		b.wrong(at.to("ipam", "config"), "%v", err)
		return
	}
	b.pools6[n.Name], _ = n.IPv6.Pool() // fillIPv6 has made it once
	if n.IPv6.Gateway.IsValid() {
		b.owners[n.Name][n.IPv6.Gateway.Addr().String()] = "the gateway"
	}
	for _, a := range n.IPv6.Reserved {
		b.owners[n.Name][a.String()] = "aux_addresses"
	}
}

// giveAddress6 hands out an address of IPv6 where the file has left it open.
func (b *builder) giveAddress6(h *Host, i *Interface, at path) {
	pool := b.pools6[i.Network]
	if pool == nil || i.Address6.IsValid() {
		return
	}
	a, err := pool.Allocate()
	if err != nil {
		b.wrong(at, "no IPv6 address for %s on %s: %v", h.Name, i.Network, err)
		return
	}
	b.owners[i.Network][a.String()] = h.Name
	i.Address6 = netip.PrefixFrom(a, pool.Subnet().Bits())
}

// keptSubnet6 returns the subnet of IPv6 that a network has in the running lab.
func (b *builder) keptSubnet6(name string) netip.Prefix {
	if b.opts.Keep == nil {
		return netip.Prefix{}
	}
	for _, n := range b.opts.Keep.Networks {
		if n.Name == name && n.IPv6 != nil && !slices.ContainsFunc(b.plan.subnets6(), n.IPv6.Subnet.Overlaps) {
			return n.IPv6.Subnet
		}
	}
	return netip.Prefix{}
}

// parseAddr6 and parsePrefix6 are parseAddr and parsePrefix for IPv6.
func parseAddr6(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q: want an IPv6 address, as in fd00:1::2", clip(text, 60))
	}
	return a, nil
}

func parsePrefix6(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q: want an IPv6 network, as in fd00:1::/64", clip(text, 60))
	}
	return p, nil
}
