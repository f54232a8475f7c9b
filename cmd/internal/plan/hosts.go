package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"regexp"
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
	h.Sysctls = b.sysctls(&h, service, at.to("sysctls"))
	h.Interfaces = b.interfaces(service, at)
	if veth := b.veth(x); veth != "" && len(h.Interfaces) > 0 && h.Interfaces[0].Veth == "" {
		h.Interfaces[0].Veth = veth
	} else if veth != "" {
		x.bad("veth", "%s has no first interface that it could be for", h.Name)
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

// sysctlName is what a setting of a namespace's network may be called.
var sysctlName = regexp.MustCompile(`^net\.[a-z0-9_]+([./][A-Za-z0-9_.-]+)*$`)

// sysctls reads the settings of a host's network. Others than net.* are this machine's, whose namespaces hosts are not in.
func (b *builder) sysctls(h *Host, service types.ServiceConfig, at path) map[string]string {
	var all map[string]string
	for _, name := range sortedKeys(service.Sysctls) {
		value := service.Sysctls[name]
		switch {
		case !strings.HasPrefix(name, "net."):
			b.warn(b.line(at), "%s: %s: not acted on: hosts have a network of their own, and nothing else", at, clip(name, 60))
			continue
		case !sysctlName.MatchString(name) || strings.Contains(name, ".."):
			b.wrong(at, "%q: want a name like net.ipv4.ip_forward", clip(name, 60))
		case len(value) > 200 || strings.ContainsAny(value, "\x00\n"):
			b.wrong(at, "%s: want a value in one line", name)
		case h.Mode == ModeHost || h.Mode == ModeShared:
			b.wrong(at, "%s: %s has no network of its own to set it in", name, h.Name)
		}
		if all == nil {
			all = map[string]string{}
		}
		all[name] = value
	}
	return all
}

// CheckSysctls accepts settings of a network of one's own.
func CheckSysctls(settings map[string]string) error {
	for _, name := range sortedKeys(settings) {
		if !sysctlName.MatchString(name) || strings.Contains(name, "..") || strings.ContainsAny(settings[name], "\x00\n") {
			return fmt.Errorf("sysctl %q: want a setting of a network, as in net.ipv4.ip_forward=1", clip(name, 60))
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// veth reads what the near end of a cable is to be called: x-uswitch: {veth: veth1a2b3c4}, at a service's network, or at
// the service for its first interface.
func (b *builder) veth(x *section) string {
	name := x.text("veth")
	if name == "" {
		return ""
	}
	if err := ValidateInterfaceName(name); err != nil {
		x.bad("veth", "%v", err)
	} else if slices.Contains(reserved, name) {
		x.bad("veth", "%q means something else to uswitch", name)
	}
	return name
}

// uniqueVeths refuses two devices of one name: ip link lists cables and bridges together.
func (b *builder) uniqueVeths() {
	seen := make(map[string]string)
	for _, n := range b.plan.Networks {
		seen[n.Name] = "a network"
	}
	for _, h := range b.plan.Hosts {
		for _, i := range h.Interfaces {
			if i.Veth == "" {
				continue
			}
			if owner, taken := seen[i.Veth]; taken {
				b.wrong(path{"services", h.Name, "networks", b.keyOf(i.Network), extension, "veth"}, "%q is the name of %s already", i.Veth, owner)
			}
			seen[i.Veth] = "the cable of " + h.Name
		}
	}
}

// command returns a service's argument vector, entrypoint first, or nil where it runs nothing.
func (b *builder) command(service types.ServiceConfig, at path) []string {
	argv := slices.Concat(service.Entrypoint, service.Command)
	if len(argv) == 0 {
		return nil
	}
	if argv[0] == "" || slices.ContainsFunc(argv, func(arg string) bool { return strings.ContainsRune(arg, 0) }) {
		b.wrong(at.to("command"), "want a program's name first, and no zero bytes")
	}
	return argv
}

// commands checks the commands that are one text, before compose-go splits them into words: it stops without a word at
// the first character that only a shell understands, and a person would look for the rest of the command for a long time.
func (s *source) commands(file map[string]any) {
	for _, name := range s.keys(path{"services"}) {
		for _, key := range []string{"entrypoint", "command"} {
			text, _ := mapping(file, "services", name)[key].(string)
			if problem := shellSyntax(text); problem != "" {
				s.wrong(path{"services", name, key}, "%s", problem)
			}
		}
	}
}

// shellSyntax says what in a command needs a shell, or is not finished; empty if nothing.
func shellSyntax(command string) string {
	var quote byte
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case strings.IndexByte(";&|<>()", c) >= 0:
			return fmt.Sprintf("%q is for a shell, and there is none: want [sh, -c, '...'], or quotes around it", c)
		}
	}
	if quote != 0 {
		return fmt.Sprintf("the quote %q is not closed", quote)
	}
	return ""
}
