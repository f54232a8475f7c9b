package plan

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// hostGateway is Docker's word for the address of the machine that the containers are on.
const hostGateway = "host-gateway"

// resolving reads what a service says of the names that it knows and of whom it asks for others.
func (b *builder) resolving(h *Host, service types.ServiceConfig, at path) {
	for _, text := range service.DNS {
		a, err := netip.ParseAddr(text)
		if err != nil || a.IsUnspecified() || a.IsMulticast() {
			b.wrong(at.to("dns"), "%q: want the address of a resolver, as in 8.8.8.8", clip(text, 60))
			continue
		}
		if h.DNS = append(h.DNS, a); !b.plan.AllowHost && (a.Unmap().IsLoopback() || a.Unmap().IsLinkLocalUnicast()) {
			b.warn(b.line(at.to("dns")), "%s: %v will not be asked: it would be this machine's own, since the lab's name server asks in place of the host; "+
				"`x-uswitch: {allow_host: true}` allows it", at.to("dns"), a)
		}
	}
	for _, domain := range service.DNSSearch {
		if domain != "." { // Docker's word for none at all
			b.checkWord(domain, "a domain, as in example.com", at.to("dns_search"))
		}
		h.DNSSearch = append(h.DNSSearch, domain)
	}
	for _, option := range service.DNSOpts {
		b.checkWord(option, "an option of resolv.conf, as in ndots:2", at.to("dns_opt"))
		h.DNSOptions = append(h.DNSOptions, option)
	}
	for _, name := range sortedKeys(service.ExtraHosts) {
		for _, text := range service.ExtraHosts[name] {
			b.extraHost(h, name, text, at.to("extra_hosts"))
		}
	}
}

// checkWord refuses what would be more than a word of a line.
func (b *builder) checkWord(text, want string, at path) {
	if text == "" || len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == ';' }) {
		b.wrong(at, "%q: want %s", clip(text, 60), want)
	}
}

func (b *builder) extraHost(h *Host, name, text string, at path) {
	b.checkWord(name, "a host name", at)
	one := ExtraHost{Name: name}
	if text != hostGateway {
		var err error
		if one.Addr, err = netip.ParseAddr(text); err != nil || one.Addr.Zone() != "" {
			b.wrong(at, "%q: want an address, or %s", clip(text, 60), hostGateway)
		}
	}
	if !slices.Contains(h.ExtraHosts, one) {
		h.ExtraHosts = append(h.ExtraHosts, one)
	}
}
