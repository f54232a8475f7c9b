package server

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/world"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/tap"
)

// device is a row of the answer, and what it takes to number it.
type device struct {
	api.Device
	namespace tap.ID // of a veth: of the host at its other end
	far       bool   // the other end is up
}

// devices lists lo, the uplink, and each network with its ports behind it, and what came later behind all that, as the
// kernel does: in the order of their numbers. A port whose cable is out is gone, like a veth
// whose container is.
func (s *Server) devices(*http.Request) (any, error) {
	rows := []device{{Device: api.Device{Name: "lo", Kind: api.KindLoopback, Address: netip.MustParsePrefix("127.0.0.1/8"), MTU: 65536, Carrier: true}}}
	if iface, ok := s.world.Gateway().Interface(s.world.Plan().Uplink.Name()); ok {
		row := interfaceDevice(iface)
		row.Kind, row.Carrier = api.KindEther, true
		if iface.IsUplink() {
			row.Kind = api.KindNone
		}
		rows = append(rows, device{Device: row})
	}
	var bridges []device // a machine has its interfaces before somebody makes a bridge there
	for _, n := range s.world.Networks() {
		if n.Plan.Kind == plan.KindCable {
			continue // both of its ends are elsewhere
		}
		bridge := api.Device{Name: n.Plan.Name, MTU: n.Plan.MTU}
		if n.Interface != nil { // else the gateway is not on it
			bridge = interfaceDevice(n.Interface)
		}
		bridge.Address, bridge.Down, bridge.Raised, bridge.ByHand = n.Address(), n.Plan.Down, n.Plan.Raised, n.Plan.NoAddress
		ports := s.portsOf(n)
		if n.Plan.Kind == plan.KindInterface {
			rows = append(rows, s.interfaceDevice(bridge, ports))
			continue
		}
		bridge.Kind = api.KindBridge
		for _, row := range ports {
			bridge.Carrier = !bridge.Down && (bridge.Carrier || row.Carrier)
		}
		if n.Tunnel != nil {
			bridge.Carrier = true
			ports = append(ports, s.tunnelDevice(n))
		}
		bridges = append(append(bridges, device{Device: bridge}), ports...)
	}
	rows = append(rows, bridges...)
	s.numbers.assign(rows)
	devices := make([]api.Device, len(rows))
	for i, row := range rows {
		devices[i] = row.Device
	}
	slices.SortFunc(devices, func(a, b api.Device) int { return cmp.Compare(a.Index, b.Index) })
	return devices, nil
}

// portsOf lists the near ends of the cables that are plugged into a network.
func (s *Server) portsOf(n *world.Network) (ports []device) {
	for _, h := range s.world.Hosts() {
		for _, c := range h.NICs {
			if row, ok := s.portDevice(h, c); ok && row.Master == n.Plan.Name {
				row.Down, row.Raised = c.Plan.Down, c.Plan.Raised
				row.Carrier = row.Carrier && !row.Down
				ports = append(ports, row)
			}
		}
	}
	for _, c := range s.world.Cables() {
		for i, end := range c.Plan.Ends() {
			if end.Network != n.Plan.Name {
				continue
			}
			row := device{Device: portCounters(c.Ports[i]), far: s.endUp(c, 1-i)}
			row.Name, row.MAC, row.Down, row.Raised, row.ByHand, row.PeerDev = end.Name, end.MAC, end.Down, end.Raised, true, c.Plan.Ends()[1-i].Name
			row.Carrier, row.PeerDown = !end.Down && row.far, !row.far
			ports = append(ports, row)
		}
	}
	return ports
}

// endUp reports whether one end of a cable on the machine is up.
func (s *Server) endUp(c *world.Cable, i int) bool {
	end := c.Plan.Ends()[i]
	if n := s.world.Network(end.Network); n != nil && n.Plan.Kind == plan.KindInterface {
		return !n.Plan.Down
	}
	return !end.Down
}

// interfaceDevice is an interface of the gateway's own: the near end of the one cable that is plugged in there, if any is.
func (s *Server) interfaceDevice(d api.Device, ports []device) device {
	if len(ports) == 0 {
		d.Kind, d.Carrier = api.KindEther, !d.Down
		return device{Device: d}
	}
	near := ports[0]
	d.ByHand = true
	d.Kind, d.Number, d.Port, d.Host, d.Peer, d.PeerDev = api.KindVeth, near.Number, near.Port, near.Host, near.Peer, near.PeerDev
	d.PeerDown = near.PeerDown
	d.Carrier = !d.Down && near.far
	return device{Device: d, namespace: near.namespace, far: near.far}
}

func interfaceDevice(iface *nat.Interface) api.Device {
	c := iface.Counters()
	six := iface.Addrs6()
	slices.SortStableFunc(six, func(a, b netip.Prefix) int { // as the kernel lists them
		return map[bool]int{true: 1}[a.Addr().IsLinkLocalUnicast()] - map[bool]int{true: 1}[b.Addr().IsLinkLocalUnicast()]
	})
	var rows []api.Address6
	for _, a := range six {
		row := api.Address6{Prefix: a}
		if !a.Addr().IsLinkLocalUnicast() {
			row.Flags = []string{"nodad"}
		}
		rows = append(rows, row)
	}
	return api.Device{Name: iface.Name(), MAC: iface.MAC(), Address: iface.Addr(), Addresses6: rows, MTU: iface.MTU(),
		RxPackets: c.RxPackets, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxPackets, TxBytes: c.TxBytes, TxDropped: c.TxDropped}
}

func (s *Server) portDevice(h *world.Host, nic *world.NIC) (device, bool) {
	link, ok := nic.Port.Link().(tap.Device)
	if _, out := nic.Unplugged(); out || !ok {
		return device{}, false
	}
	inside, err := link.State()
	if err != nil {
		return device{}, false // gone a moment ago
	}
	row := device{namespace: h.Namespace.ID, far: inside.Up, Device: portCounters(nic.Port)}
	row.ByHand = nic.Plan.Veth != ""
	row.Carrier, row.Master, row.Host, row.Peer = inside.Up, nic.Plan.Network, h.Plan.Name, inside.Index
	row.Name, row.MAC = dockerhost.VethName(s.world.Plan().Name, h.Plan.Name, nic.Plan)
	return row, true
}

// portCounters is what every port has in common.
func portCounters(p *vswitch.Port) api.Device {
	c := p.Counters()
	return api.Device{Kind: api.KindVeth, MTU: p.Flags().MTU, Master: p.Switch().Name(), Port: p.Name(), Number: p.ID(),
		RxPackets: c.RxFrames, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxFrames, TxBytes: c.TxBytes, TxDropped: c.TxDropped}
}

// numbers are those that the kernel gives to devices and, as each namespace sees them, to other namespaces. A device keeps
// its index, which is not used again after it; a namespace keeps its number, and the lowest free one goes to the next
// (idr_alloc in net/core/net_namespace.c). The zero value is ready.
type numbers struct {
	mu         sync.Mutex
	last       int
	devices    map[string]int
	namespaces map[tap.ID]int
}

// assign numbers the devices that are there now, and forgets those that were.
func (n *numbers) assign(rows []device) {
	n.mu.Lock()
	defer n.mu.Unlock()
	devices, namespaces := map[string]int{}, map[tap.ID]int{}
	taken := map[int]bool{}
	for _, row := range rows {
		if id, known := n.namespaces[row.namespace]; known && row.Host != "" {
			namespaces[row.namespace], taken[id] = id, true
		}
	}
	for i := range rows {
		row := &rows[i]
		index, known := n.devices[row.Name]
		if !known {
			n.last++
			index = n.last
		}
		devices[row.Name], row.Index = index, index
		if row.Kind != api.KindVeth || row.Host == "" {
			continue
		}
		if _, known := namespaces[row.namespace]; !known {
			id := 0
			for taken[id] {
				id++
			}
			namespaces[row.namespace], taken[id] = id, true
		}
		row.NetnsID = namespaces[row.namespace]
	}
	n.devices, n.namespaces = devices, namespaces
}
