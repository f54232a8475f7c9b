package engine

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// portsOf are the ports that are to be published, in the order of their numbers inside.
func portsOf(c *container, to *plan.Inlet) (all []plan.Publish) {
	for _, port := range slices.SortedFunc(maps.Keys(bindings(c)), comparePorts) {
		number, proto := splitPort(port)
		for _, b := range bindings(c)[port] {
			p := plan.Publish{Proto: proto, To: netip.AddrPortFrom(netip.Addr{}, number)}
			hostIP, _ := netip.ParseAddr(b.HostIP) // checked
			first, last, isRange := strings.Cut(b.HostPort, "-")
			p.HostPort = portNumber(first)
			if isRange {
				p.HostPortEnd = portNumber(last)
			}
			all = append(all, to.Open(p, hostIP)...)
		}
	}
	return all
}

// checkBindings refuses what would not be published as it says: an address that is none must not become every address.
func checkBindings(c *container) error {
	for _, port := range slices.SortedFunc(maps.Keys(c.hostConfig.PortBindings), comparePorts) {
		if number, proto := splitPort(port); number == 0 || proto != "tcp" && proto != "udp" {
			return invalid("invalid port specification: %q: want a port and tcp or udp, as in 80/tcp", port)
		}
		for _, b := range c.hostConfig.PortBindings[port] {
			if a, err := netip.ParseAddr(b.HostIP); b.HostIP != "" && (err != nil || a.Zone() != "" || a.Is4In6()) {
				return invalid("invalid host address %q for port %s: want an address, as in 127.0.0.1 or ::1", b.HostIP, port)
			}
			first, last, isRange := strings.Cut(b.HostPort, "-")
			if b.HostPort == "" {
				continue
			}
			if !isPort(first) || isRange && (!isPort(last) || portNumber(first) > portNumber(last)) {
				return invalid("invalid port specification: %q for port %s: want a port or a range of ports, as in 8080 or 8000-8010", b.HostPort, port)
			}
		}
	}
	return nil
}

// isPort reports whether a text is the number of a port, 0 included: any.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// bindings are the ports that were asked for, and with -P all that are exposed.
func bindings(c *container) map[string][]types.PortBinding {
	all := maps.Clone(c.hostConfig.PortBindings)
	if all == nil {
		all = map[string][]types.PortBinding{}
	}
	if c.hostConfig.PublishAllPorts {
		for port := range c.config.ExposedPorts {
			if len(all[port]) == 0 {
				all[port] = []types.PortBinding{{}}
			}
		}
	}
	return all
}

// splitPort reads 80/tcp.
func splitPort(port string) (number uint16, proto string) {
	text, proto, ok := strings.Cut(port, "/")
	if !ok {
		proto = "tcp"
	}
	return portNumber(text), strings.ToLower(proto)
}

// portNumber reads a number, and anything else as 0: any.
func portNumber(text string) uint16 {
	n, _ := strconv.ParseUint(text, 10, 16)
	return uint16(n)
}

func comparePorts(a, b string) int {
	first, firstProto := splitPort(a)
	second, secondProto := splitPort(b)
	if first != second {
		return int(first) - int(second)
	}
	return strings.Compare(firstProto, secondProto)
}

// checkPorts says in Docker's words that a port is taken by somebody else of the lab. It needs the lock.
func (e *Engine) checkPorts(c *container, ports []plan.Publish) error {
	for _, other := range e.all() {
		for _, taken := range e.lab.Published(other.host()) {
			for _, p := range ports {
				same := p.HostPort != 0 && p.HostPortEnd == 0 && p.HostPort == taken.HostPort && p.Proto == taken.Proto
				if same && plan.SameSocket(p.HostIP, taken.HostIP) {
					return fmt.Errorf("driver failed programming external connectivity on endpoint %s (%s): Bind for %v failed: port is already allocated",
						c.name, derivedID("endpoint", c.id, c.mode()), netip.AddrPortFrom(p.HostIP, p.HostPort))
				}
			}
		}
	}
	return nil
}
