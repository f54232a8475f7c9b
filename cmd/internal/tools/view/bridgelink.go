package view

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// BridgePort is a veth in a bridge, and what it may do there.
type BridgePort struct {
	api.Device
	Knobs api.Port
}

// bridgeFlag is a setting that `bridge -d link` shows. The bridges here know no others than Linux's usual ones for most.
type bridgeFlag struct {
	name string
	on   bool
}

// before and after stand around mcast_router, which is a number.
func (p *BridgePort) before() []bridgeFlag {
	return []bridgeFlag{{"hairpin", false}, {"guard", false}, {"root_block", false}, {"fastleave", false},
		{"learning", p.Knobs.Learning}, {"flood", p.Knobs.Flood}, {"mcast_flood", p.Knobs.McastFlood}, {"bcast_flood", p.Knobs.BcastFlood}}
}

func (p *BridgePort) after() []bridgeFlag {
	return []bridgeFlag{{"mcast_to_unicast", false}, {"neigh_suppress", false}, {"vlan_tunnel", false},
		{"isolated", p.Knobs.Isolated}, {"locked", false}}
}

// state is the port's in the spanning tree, of which there is none: a port with a carrier forwards.
func (p *BridgePort) state() string {
	if p.Carrier {
		return "forwarding"
	}
	return "disabled"
}

// Of a port: priority and cost are the kernel's for a link of 10 Gbit/s, as a veth is (net/bridge/br_if.c, port_cost).
const (
	portPriority = 32
	portCost     = 2
)

// BridgeLinks writes ports as `bridge link` does; details adds a line of flags.
//
//	3: veth6d2f1c0@br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding priority 32 cost 2
func BridgeLinks(w io.Writer, ports []BridgePort, details bool) error {
	out := bufio.NewWriter(w)
	for i := range ports {
		p := &ports[i]
		fmt.Fprintf(out, "%d: %s@%s: <%s> mtu %d master %s state %s priority %d cost %d \n", p.Index, p.Name, p.Master,
			strings.Join(flags(&p.Device), ","), p.MTU, p.Master, p.state(), portPriority, portCost)
		if !details {
			continue
		}
		out.WriteString("    ")
		for _, f := range p.before() {
			fmt.Fprintf(out, "%s %s ", f.name, onOff(f.on))
		}
		out.WriteString("mcast_router 1 ")
		for _, f := range p.after() {
			fmt.Fprintf(out, "%s %s ", f.name, onOff(f.on))
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// BridgeLinksJSON returns what `bridge -json link` prints.
func BridgeLinksJSON(ports []BridgePort, details bool) any {
	all := []object{}
	for i := range ports {
		p := &ports[i]
		o := object{{"ifindex", p.Index}, {"link", p.Master}, {"ifname", p.Name}, {"flags", flags(&p.Device)}, {"mtu", p.MTU},
			{"master", p.Master}, {"state", p.state()}, {"priority", portPriority}, {"cost", portCost}}
		if details {
			for _, f := range p.before() {
				o = append(o, member{f.name, f.on})
			}
			o = append(o, member{"mcast_router", 1})
			for _, f := range p.after() {
				o = append(o, member{f.name, f.on})
			}
		}
		all = append(all, o)
	}
	return all
}
