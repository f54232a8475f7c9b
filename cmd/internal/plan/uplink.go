package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const uplinkWanted = "want none, host, sim or netns:NAME"

// ParseUplink reads an uplink's short form: none, host, sim or netns:NAME. The addresses of the last come from a lab file, or are
// chosen.
func ParseUplink(text string) (Uplink, error) {
	switch kind := UplinkKind(text); kind {
	case UplinkNone, UplinkHost, UplinkSim:
		return Uplink{Kind: kind}, nil
	}
	name, ok := strings.CutPrefix(text, "netns:")
	if !ok {
		return Uplink{}, fmt.Errorf("uplink %q: %s", clip(text, 40), uplinkWanted)
	}
	if err := ValidateName("namespace", name); err != nil {
		return Uplink{}, fmt.Errorf("uplink: %w", err)
	}
	return Uplink{Kind: UplinkNetns, Netns: name}, nil
}

// uplink reads the lab's way out:
//
//	uplink: sim
//	uplink: {netns: wan, address: 192.0.2.2/24, gateway: 192.0.2.1, address6: "2001:db8::2/64", gateway6: "2001:db8::1"}
//	uplink: {sim: eth0, address: 10.0.2.15/24, gateway: 10.0.2.2, publish_here: true}
//
// The options' choice replaces the file's, but for the interface's name, and the addresses if they are for the same kind of
// uplink; those of a namespace are chosen if the file gives none. A lab that says nothing has no way out, unless it publishes a
// port: that asks for the host's.
func (b *builder) uplink(x *section) Uplink {
	file := Uplink{Kind: UplinkNone}
	if b.publishes() {
		file.Kind = UplinkHost
	}
	switch value := x.get("uplink").(type) {
	case nil:
	case string:
		parsed, err := ParseUplink(value)
		if err != nil {
			x.bad("uplink", "%v", err)
			return file
		}
		file = parsed
	case map[string]any:
		file = b.longUplink(b.section(value, x.at.to("uplink")))
	default:
		x.bad("uplink", "%s, or a mapping with netns or sim, address and gateway", uplinkWanted)
		return file
	}
	if b.opts.Uplink != "" {
		chosen, err := ParseUplink(b.opts.Uplink)
		if err != nil {
			b.mistake(0, nil, "%v", err)
		}
		if chosen.Dev = file.Dev; chosen.Kind == file.Kind {
			chosen.Address, chosen.Gateway, chosen.PublishHere = file.Address, file.Gateway, file.PublishHere
			chosen.Address6, chosen.Gateway6 = file.Address6, file.Gateway6
		}
		file = chosen
	}
	return file
}

// documentation is the networks that are nobody's (RFC 5737).
var documentation = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24")}

// documentation6 is the network of the namespace and the gateway in IPv6 if nobody says otherwise: one that is nobody's (RFC 3849),
// with the numbers of 192.0.2.0/24.
var documentation6 = netip.MustParsePrefix("2001:db8:c000:200::/64")

// carriesIPv6 reports whether the way out has IPv6 where a network has.
func (u *Uplink) carriesIPv6() bool {
	return u.Kind == UplinkHost || u.Kind == UplinkSim || u.Address6.IsValid()
}

// addressUplink chooses addresses for a namespace outside that was given none: those of the first network for documentation
// that is none of the lab's, and with IPv6 in the lab some of it.
func (b *builder) addressUplink() {
	u := &b.plan.Uplink
	if u.Kind != UplinkNetns {
		return
	}
	if !u.Address6.IsValid() && len(b.plan.subnets6()) > 0 {
		u.Gateway6 = documentation6.Addr().Next()
		u.Address6 = netip.PrefixFrom(u.Gateway6.Next(), documentation6.Bits())
	}
	if slices.ContainsFunc(b.plan.subnets6(), u.Address6.Overlaps) {
		b.wrong(path{extension, "uplink"}, "%v is a network of the lab's: want another one for the namespace, by address6 and gateway6", u.Address6.Masked())
	}
	if u.Address.IsValid() {
		return
	}
	for _, p := range documentation {
		if !slices.ContainsFunc(b.plan.Networks, func(n Network) bool { return n.Subnet.Overlaps(p) }) {
			u.Gateway = p.Addr().Next()
			u.Address = netip.PrefixFrom(u.Gateway.Next(), p.Bits())
			return
		}
	}
	b.wrong(path{extension, "uplink"}, "no network is left for the namespace: want {netns: %s, address: ADDRESS/BITS, gateway: ADDRESS}", u.Netns)
}

// longUplink reads the long form: of a namespace, or of an internet in memory with the name of the interface that leads there.
func (b *builder) longUplink(x *section) Uplink {
	u := Uplink{Kind: UplinkNetns, Netns: x.text("netns"), Dev: x.text("sim"), Gateway: x.address("gateway"),
		PublishHere: x.boolean("publish_here", false)}
	address, address6 := x.text("address"), x.text("address6")
	gateway6 := x.text("gateway6")
	x.close()
	switch {
	case u.Dev == "":
		if err := ValidateName("namespace", u.Netns); err != nil {
			x.bad("netns", "%v", err)
		}
		if u.PublishHere {
			x.bad("publish_here", "goes with sim only: what is published on a namespace is open there")
		}
	case u.Netns != "":
		x.bad("sim", "want one of sim and netns")
	default:
		u.Kind = UplinkSim
		if err := ValidateInterfaceName(u.Dev); err != nil {
			x.bad("sim", "%v", err)
		}
	}
	if address6+gateway6 != "" {
		b.uplink6(x, &u, address6, gateway6)
	}
	prefix, err := parsePrefix(address)
	if err != nil {
		x.bad("address", "%v", err)
		return u
	}
	u.Address = prefix
	switch {
	case !stationIn(prefix, prefix.Addr()):
		x.bad("address", "%v: want the address of a station, not of the network", prefix)
	case !stationIn(prefix, u.Gateway) || u.Gateway == prefix.Addr():
		x.bad("gateway", "want another station's address in %v", prefix.Masked())
	}
	return u
}

// uplink6 reads the addresses of IPv6 of a namespace.
func (b *builder) uplink6(x *section, u *Uplink, address, gateway string) {
	prefix, err := parsePrefix6(address)
	next, failed := parseAddr6(gateway)
	switch {
	case u.Kind != UplinkNetns:
		x.bad("address6", "goes with netns only: sim has addresses of its own")
	case err != nil:
		x.bad("address6", "%v", err)
	case failed != nil:
		x.bad("gateway6", "%v", failed)
	case prefix.Addr() == prefix.Masked().Addr():
		x.bad("address6", "%v: want the address of a station, not of the network", prefix)
	case !prefix.Contains(next) || next == prefix.Addr() || next == prefix.Masked().Addr():
		x.bad("gateway6", "want another station's address in %v", prefix.Masked())
	default:
		u.Address6, u.Gateway6 = prefix, next
	}
}

// publishes reports whether any service has ports that go through the gateway.
func (b *builder) publishes() bool {
	for name, service := range b.project.Services {
		if len(b.portsOf(name)) > 0 && service.NetworkMode != string(ModeHost) {
			return true
		}
	}
	return false
}

// stationIn reports whether the address can be a station's in the prefix.
func stationIn(p netip.Prefix, a netip.Addr) bool {
	if !a.Is4() || !p.Contains(a) {
		return false
	}
	network := p.Masked().Addr()
	return p.Bits() >= 31 || a != network && p.Contains(a.Next())
}
