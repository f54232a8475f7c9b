package plan

import (
	"cmp"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// hosts builds the hosts in the order in which they start. Addresses that the file gives are reserved on every network
// before any are handed out, so that an automatic one never takes what a host further down has been promised.
func (b *builder) hosts() {
	order := b.startOrder()
	for _, name := range order {
		b.plan.Hosts = append(b.plan.Hosts, b.host(b.project.Services[name]))
	}
	for i := range b.plan.Hosts {
		b.keepAddresses(&b.plan.Hosts[i])
	}
	b.keepOthers()
	for i := range b.plan.Hosts {
		b.giveAddresses(&b.plan.Hosts[i])
	}
	b.freeGateways()
	for i := range b.plan.Hosts {
		b.plan.ChooseGateway(&b.plan.Hosts[i])
		b.publish(&b.plan.Hosts[i])
	}
	b.uniqueNamespaces()
	b.uniqueContainers()
	b.uniqueVeths()
}

func (b *builder) host(service types.ServiceConfig) Host {
	at := path{"services", service.Name}
	x := b.extension(mapping(b.file, at...), at)
	defer x.close()
	h := Host{
		Name:       service.Name,
		Hostname:   cmp.Or(service.Hostname, service.Name),
		Container:  b.containerName(service),
		Netns:      x.text("netns"),
		Passive:    x.boolean("passive", false),
		Command:    b.command(service, at),
		WorkingDir: service.WorkingDir,
		DependsOn:  b.dependencies(service, at),
	}
	if err := ValidateName("hostname", h.Hostname); err != nil {
		b.wrong(at.to("hostname"), "%v", err)
	}
	if strings.ContainsRune(h.WorkingDir, 0) {
		b.wrong(at.to("working_dir"), "want a path without zero bytes")
	}
	h.Environment = b.environment(service, at.to("environment"))
	h.Rights = b.rights(service, at)
	b.resolving(&h, service, at)
	if h.Netns != "" {
		b.checkNetns(h.Netns, x.at.to("netns"))
	}
	b.mode(&h, service, at)
	h.Interfaces = b.interfaces(service, at)
	if veth := b.veth(x); veth != "" && len(h.Interfaces) > 0 && h.Interfaces[0].Veth == "" {
		h.Interfaces[0].Veth = veth
	} else if veth != "" {
		x.bad("veth", "%s has no first card that it could be for", h.Name)
	}
	return h
}

// freeGateways takes the gateway's name off the addresses that hosts have instead of it.
func (b *builder) freeGateways() {
	for i := range b.plan.Networks {
		n := &b.plan.Networks[i]
		taken := func(h Host) bool {
			return slices.ContainsFunc(h.Interfaces, func(c Interface) bool { return c.Network == n.Name && c.Address == n.Gateway })
		}
		if n.NoAddress && slices.ContainsFunc(b.plan.Hosts, taken) {
			n.Gateway = netip.Prefix{}
		}
	}
}

// checkNetns accepts a namespace's name, or the absolute path of one, as in /proc/1234/ns/net.
func (b *builder) checkNetns(netns string, at path) {
	if strings.HasPrefix(netns, "/") {
		if filepath.Clean(netns) != netns || len(netns) > 4095 || strings.ContainsFunc(netns, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			b.wrong(at, "want a name, or a clean absolute path, as in /proc/1234/ns/net")
		}
		return
	}
	if err := ValidateName("namespace", netns); err != nil {
		b.wrong(at, "%v, or an absolute path", err)
	}
}

// uniqueNamespaces refuses two hosts in one namespace: they would both call an interface eth0.
func (b *builder) uniqueNamespaces() {
	seen := make(map[string]string)
	for _, h := range b.plan.Hosts {
		if h.Mode == ModeHost || h.Mode == ModeShared {
			continue
		}
		netns := strings.TrimPrefix(cmp.Or(h.Netns, h.Name), "/run/netns/")
		netns = strings.TrimPrefix(netns, "/var/run/netns/")
		if other, ok := seen[netns]; ok {
			b.wrong(path{"services", h.Name, extension, "netns"}, "%s is the namespace of %s already", netns, other)
		}
		seen[netns] = h.Name
	}
}

// uniqueContainers refuses two containers of one name.
func (b *builder) uniqueContainers() {
	seen := make(map[string]string)
	for _, h := range b.plan.Hosts {
		at := path{"services", h.Name}
		if b.project.Services[h.Name].ContainerName != "" {
			at = at.to("container_name")
			if err := ValidateName("container name", h.Container); err != nil {
				b.wrong(at, "%v", err)
			}
		}
		if other, ok := seen[h.Container]; ok {
			b.wrong(at, "the container name %s is already in use, by %s", h.Container, other)
		}
		seen[h.Container] = h.Name
	}
}

// environment returns KEY=value lines. A variable without a value was not set where uswitch runs, and stays unset.
func (b *builder) environment(service types.ServiceConfig, at path) []string {
	var lines []string
	for _, key := range sortedKeys(service.Environment) {
		value := service.Environment[key]
		if value == nil {
			continue
		}
		if key == "" || strings.ContainsAny(key, "=\x00") || strings.ContainsRune(*value, 0) {
			b.wrong(at, "%q: want NAME=value, without zero bytes", clip(key, 40))
			continue
		}
		lines = append(lines, key+"="+*value)
	}
	return lines
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
