package names

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
)

// Machine is what the files of the machine say, as far as those of a host follow from it.
type Machine struct {
	Resolv   Resolv
	NSSwitch []byte // nsswitch.conf(5)
	// Addr is an address of its own by which hosts with a way out reach it; zero: there they reach the gateway only.
	Addr netip.Addr
}

// Files returns the files that a host has in its /etc, by name, as Docker writes them for a container. What is not among them
// is the machine's.
func Files(p *plan.Plan, h *plan.Host, m Machine) map[string][]byte {
	files := map[string][]byte{
		"hosts":    hosts(p, h, m.Addr),
		"hostname": []byte(h.Hostname + "\n"),
	}
	if len(h.Interfaces) > 0 {
		files["resolv.conf"] = resolv(p, h, m.Resolv)
	}
	if own := withoutResolve(m.NSSwitch); own != nil {
		files["nsswitch.conf"] = own
	}
	return files
}

// The resolvers that Docker names if the machine has none but on its own loopback, where containers cannot reach them.
var lastResort = []netip.Addr{netip.AddrFrom4([4]byte{8, 8, 8, 8}), netip.AddrFrom4([4]byte{8, 8, 4, 4})}

// resolv writes a host's resolv.conf. It names the lab's name server, if the host is on a network that has names, and
// otherwise those whom the name server would ask.
func resolv(p *plan.Plan, h *plan.Host, machine Resolv) []byte {
	c := Resolv{Search: machine.Search, Options: slices.Clone(machine.Options)}
	if h.DNSSearch != nil {
		c.Search = slices.DeleteFunc(slices.Clone(h.DNSSearch), func(domain string) bool { return domain == "." })
	}
	if h.DNSOptions != nil {
		c.Options = slices.Clone(h.DNSOptions)
	}
	who := "the resolvers that are asked from the default network bridge, which has no names"
	if server := nameServer(p, h); server.IsValid() {
		who = "the lab's own name server"
		c.Servers = []netip.Addr{server}
		if !slices.ContainsFunc(c.Options, func(o string) bool { return strings.HasPrefix(o, "ndots:") }) {
			c.Options = append(c.Options, "ndots:0") // a lab's names have no dots, and are names all the same
		}
	} else if c.Servers = h.DNS; c.Servers == nil {
		c.Servers = slices.DeleteFunc(slices.Clone(machine.Servers), netip.Addr.IsLoopback)
		if len(c.Servers) == 0 {
			c.Servers = lastResort
		}
	}
	return c.Format(fmt.Sprintf("# %s of lab %s: %s.\n", h.Name, p.Name, who))
}

// nameServer returns the gateway's address on the first network of the host that has names, if there is any.
func nameServer(p *plan.Plan, h *plan.Host) (a netip.Addr) {
	for _, i := range h.Interfaces {
		if n := p.Network(i.Network); n != nil && !n.IsDefaultBridge() && n.Gateway.IsValid() {
			return n.Gateway.Addr()
		}
	}
	return a
}

// localNames begin every container's hosts file.
const localNames = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::	ip6-localnet
ff00::	ip6-mcastprefix
ff02::1	ip6-allnodes
ff02::2	ip6-allrouters
`

// hosts writes a host's hosts file: the loopback, the names that the lab file adds, itself.
func hosts(p *plan.Plan, h *plan.Host, machine netip.Addr) []byte {
	b := bytes.NewBufferString(localNames)
	for _, extra := range h.ExtraHosts {
		if a := cmp.Or(extra.Addr, theMachine(p, h, machine)); a.IsValid() {
			fmt.Fprintf(b, "%v\t%s\n", a, extra.Name)
		}
	}
	for _, i := range h.Interfaces {
		if i.Address.IsValid() {
			fmt.Fprintf(b, "%v\t%s\n", i.Address.Addr(), h.Hostname)
		}
	}
	return b.Bytes()
}

// theMachine returns the address by which a host reaches the machine that it is on, as Docker's host-gateway: where the
// gateway is not the machine, that is the machine's own.
func theMachine(p *plan.Plan, h *plan.Host, machine netip.Addr) (a netip.Addr) {
	if h.Gateway.IsValid() {
		return cmp.Or(machine, h.Gateway)
	}
	for _, i := range h.Interfaces {
		if n := p.Network(i.Network); n != nil && n.Gateway.IsValid() {
			return n.Gateway.Addr()
		}
	}
	return a
}

// withoutResolve returns an nsswitch.conf in which hosts are looked for in files and by DNS, or nil if the machine's own does
// not look elsewhere first: a resolver of the machine that is asked by a socket of its own (nss-resolve) knows nothing of
// namespaces.
func withoutResolve(nsswitch []byte) []byte {
	var lines []string
	changed := false
	for line := range strings.Lines(string(nsswitch)) {
		words := strings.Fields(line)
		if len(words) > 0 && words[0] == "hosts:" && slices.Contains(words, "resolve") {
			line, changed = "hosts: files dns\n", true
		}
		lines = append(lines, line)
	}
	if !changed {
		return nil
	}
	return []byte(strings.Join(lines, ""))
}
