package plan

import (
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
	return b.project.Name + "-" + service.Name + "-1"
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
		b.wrong(at.to("mac_address"), "conflicting options: mac-address and the network mode: %s has no card of its own", h.Name)
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
