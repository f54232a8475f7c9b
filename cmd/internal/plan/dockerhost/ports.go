package dockerhost

import (
	"cmp"
	"fmt"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
)

// firstFree is where Docker begins to look for a port if it is to choose: the first of net.ipv4.ip_local_port_range.
const firstFree = 32768

// Port returns a published port of a host on network n as Docker's rules know it. The port outside must be a single one by
// now; where the network is routed, there is none: the port is opened at the host's own address.
func Port(n *plan.Network, p plan.Publish) firewall.Port {
	if n.GatewayMode == string(firewall.Routed) {
		return firewall.Port{Proto: p.Proto, To: p.To}
	}
	return firewall.Port{Proto: p.Proto, HostIP: p.HostIP, HostPort: p.HostPort, To: p.To}
}

// ComparePorts is the order in which dockerd publishes the ports of a container (moby's cmpPortBindingReq): those with a number
// of their own before those that may have any one of several, so that none of these takes it away.
func ComparePorts(p, q plan.Publish) int {
	open := func(p plan.Publish) int {
		if p.HostPort == 0 || p.HostPortEnd > p.HostPort {
			return 1
		}
		return 0
	}
	asRule := func(p plan.Publish) firewall.Port {
		return firewall.Port{Proto: p.Proto, HostIP: p.HostIP, HostPort: p.HostPort, To: p.To}
	}
	return cmp.Or(cmp.Compare(open(p), open(q)), asRule(p).Compare(asRule(q)))
}

// ports hands out the ports outside that Docker would choose if nobody else had any: the first free one of a range, and
// where none was asked for, of the ephemeral ones.
type ports map[string]bool // the taken ones, as in 8080/tcp

// portsOf begins with what the plan names itself as taken.
func portsOf(labPlan *plan.Plan) ports {
	taken := ports{}
	for _, h := range labPlan.Hosts {
		for _, p := range h.Ports {
			if p.HostPort != 0 && p.HostPortEnd == 0 {
				taken[portName(int(p.HostPort), p.Proto)] = true
			}
		}
	}
	return taken
}

// choose returns a host's ports, each with its number outside, in the order in which dockerd publishes them.
func (t ports) choose(labPlan *plan.Plan, h *plan.Host) ([]firewall.Port, error) {
	var all []firewall.Port
	for _, p := range slices.SortedStableFunc(slices.Values(h.Ports), ComparePorts) {
		n := labPlan.Network(networkOf(h, p.To.Addr()))
		first, last := int(p.HostPort), int(p.HostPortEnd)
		if first == 0 {
			first, last = firstFree, 65535
		}
		if last != 0 {
			for first <= last && t[portName(first, p.Proto)] {
				first++
			}
			if first > last {
				return nil, fmt.Errorf("host %s: no port is left for %v/%s", h.Name, p.To, p.Proto)
			}
			t[portName(first, p.Proto)] = true
			p.HostPort = uint16(first)
		}
		all = append(all, Port(n, p))
	}
	return all, nil
}

func portName(number int, proto string) string { return fmt.Sprintf("%d/%s", number, proto) }
