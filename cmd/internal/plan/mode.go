package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

const modesWanted = "want bridge, none, host, service:NAME or container:NAME, or networks in its place"

// shared returns the service whose namespace a service is to be in: network_mode: service:X, or container:X. ok is false
// for a service that has another mode, or names nobody.
func (b *builder) shared(service string) (other string, ok bool) {
	mode := b.project.Services[service].NetworkMode
	if name, is := strings.CutPrefix(mode, types.ServicePrefix); is {
		_, ok = b.project.Services[name]
		return name, ok
	}
	name, is := strings.CutPrefix(mode, types.ContainerPrefix)
	if !is {
		return "", false
	}
	for other, config := range b.project.Services {
		if b.containerName(config) == name {
			return other, true
		}
	}
	_, ok = b.project.Services[name] // which is what it is called here
	return name, ok
}

// containerName is what docker ps would call a service.
func (b *builder) containerName(service types.ServiceConfig) string {
	if service.ContainerName != "" {
		return service.ContainerName
	}
	r := b.serviceOf(service.Name)
	return fmt.Sprintf("%s-%s-%d", b.project.Name, r.service, r.number)
}

// mode reads network_mode, and refuses what Docker refuses beside it. The hosts that this one could share a namespace with
// are in the plan already.
func (b *builder) mode(h *Host, service types.ServiceConfig, at path) {
	text := service.NetworkMode
	if text == "" {
		return
	}
	mode := at.to("network_mode")
	if len(service.Networks) > 0 {
		b.wrong(mode, "network_mode and networks exclude each other")
	}
	switch kind, name, _ := strings.Cut(text, ":"); {
	case text == "bridge":
	case text == "none":
		h.Mode = ModeNone
	case text == "host":
		h.Mode = ModeHost
	case (kind == "service" || kind == "container") && name != "":
		b.share(h, mode, kind, name)
	default:
		b.wrong(mode, "%q: %s", clip(text, 60), modesWanted)
	}
	if h.Mode == ModeOwn {
		return
	}
	// The sentences about what conflicts are Docker's own.
	if service.MacAddress != "" {
		b.wrong(at.to("mac_address"), "conflicting options: mac-address and the network mode: %s has no interface of its own", h.Name)
	}
	if h.Netns != "" && h.Mode != ModeNone {
		b.wrong(at.to(extension, "netns"), "network_mode says already which namespace %s is in", h.Name)
	}
	if len(b.portsOf(h.Name)) == 0 {
		return
	}
	switch ports := at.to("ports"); h.Mode {
	case ModeHost:
		b.warn(b.line(ports), "%s: Published ports are discarded when using host network mode: %s is on this machine's own network", ports, h.Name)
	case ModeShared:
		b.wrong(ports, "conflicting options: port publishing and the container type network mode: publish them at %s", h.Shares)
	}
}

// share puts a host into another one's namespace, or into the one that that host shares itself.
func (b *builder) share(h *Host, at path, kind, name string) {
	other, ok := b.shared(h.Name)
	if !ok {
		b.wrong(at, "no such %s: %s", kind, oneOf(sortedKeys(b.project.Services)))
		return
	}
	h.Mode, h.Shares = ModeShared, other
	if home := b.plan.Host(other); home == nil {
		return // a circle, which startOrder has told of
	} else if home.Mode == ModeShared {
		h.Shares = home.Shares
	}
	if b.project.Services[h.Name].Hostname != "" {
		b.wrong(at[:2].to("hostname"), "conflicting options: hostname and the network mode: it is that of %s", h.Shares)
	} else if home := b.plan.Host(h.Shares); home != nil {
		h.Hostname = home.Hostname
	}
}

// onDefaultBridge reports whether any service is on Docker's own bridge.
func (b *builder) onDefaultBridge() bool {
	for _, service := range b.project.Services {
		if service.NetworkMode == "bridge" {
			return true
		}
	}
	return false
}

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
