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
	"uswitch/tap"
)

// device is a row of the answer, and what it takes to number it.
type device struct {
	api.Device
	namespace tap.ID // of a veth: of the host at its other end
}

// devices lists lo, the uplink, and each network with its ports behind it, and what came later behind all that, as the
// kernel does: in the order of their numbers. A port whose cable is out is gone, like a veth
// whose container is.
func (s *Server) devices(*http.Request) (any, error) {
	rows := []device{{Device: api.Device{Name: "lo", Kind: api.KindLoopback, Address: netip.MustParsePrefix("127.0.0.1/8"), MTU: 65536, Carrier: true}}}
	if leg, ok := s.world.Gateway().Interface(s.world.Plan().Uplink.Name()); ok {
		row := legDevice(leg)
		row.Kind, row.Carrier = api.KindEther, true
		if leg.IsUplink() {
			row.Kind = api.KindNone
		}
		rows = append(rows, device{Device: row})
	}
	for _, n := range s.world.Networks() {
		bridge := api.Device{Name: n.Plan.Name, MTU: n.Plan.MTU}
		if n.Leg != nil { // else the gateway is not on it
			bridge = legDevice(n.Leg)
		}
		if bridge.Kind = api.KindBridge; n.Plan.Kind == plan.KindInterface {
			bridge.Kind, bridge.Carrier = api.KindEther, true
			rows = append(rows, device{Device: bridge})
			continue
		}
		var ports []device
		for _, h := range s.world.Hosts() {
			for _, c := range h.Cards {
				row, ok := s.portDevice(h, c)
				if !ok || row.Master != n.Plan.Name {
					continue
				}
				bridge.Carrier = bridge.Carrier || row.Carrier
				ports = append(ports, row)
			}
		}
		if n.Tunnel != nil {
			bridge.Carrier = true
			ports = append(ports, s.tunnelDevice(n))
		}
		rows = append(append(rows, device{Device: bridge}), ports...)
	}
	s.numbers.assign(rows)
	devices := make([]api.Device, len(rows))
	for i, row := range rows {
		devices[i] = row.Device
	}
	slices.SortFunc(devices, func(a, b api.Device) int { return cmp.Compare(a.Index, b.Index) })
	return devices, nil
}

func legDevice(leg *nat.Interface) api.Device {
	c := leg.Counters()
	return api.Device{Name: leg.Name(), MAC: leg.MAC(), Address: leg.Addr(), MTU: leg.MTU(),
		RxPackets: c.RxPackets, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxPackets, TxBytes: c.TxBytes, TxDropped: c.TxDropped}
}

func (s *Server) portDevice(h *world.Host, nic *world.Card) (device, bool) {
	link, ok := nic.Port.Link().(tap.Device)
	if _, out := nic.Unplugged(); out || !ok {
		return device{}, false
	}
	inside, err := link.State()
	if err != nil {
		return device{}, false // gone a moment ago
	}
	c := nic.Port.Counters()
	row := device{namespace: h.Namespace.ID, Device: api.Device{Kind: api.KindVeth, MTU: nic.Port.Knobs().MTU, Carrier: inside.Up, Master: nic.Plan.Network,
		Number: nic.Port.ID(), Host: h.Plan.Name, Peer: inside.Index,
		RxPackets: c.RxFrames, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxFrames, TxBytes: c.TxBytes, TxDropped: c.TxDropped}}
	row.Name, row.MAC = dockerhost.VethName(s.world.Plan().Name, h.Plan.Name, nic.Plan)
	return row, true
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
		if id, known := n.namespaces[row.namespace]; known && row.Kind == api.KindVeth {
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
		if row.Kind != api.KindVeth {
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
