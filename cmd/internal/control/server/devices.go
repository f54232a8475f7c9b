package server

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
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
	if leg, ok := s.world.Gateway().Interface(world.UplinkName); ok {
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
		bridge.Kind = api.KindBridge
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

func (s *Server) portDevice(h *world.Host, card *world.Card) (device, bool) {
	link, ok := card.Port.Link().(tap.Device)
	if _, out := card.Unplugged(); out || !ok {
		return device{}, false
	}
	inside, err := link.State()
	if err != nil {
		return device{}, false // gone a moment ago
	}
	c := card.Port.Counters()
	row := device{namespace: h.Namespace.ID, Device: api.Device{Kind: api.KindVeth, MTU: card.Port.Knobs().MTU, Carrier: inside.Up, Master: card.Plan.Network,
		Number: card.Port.ID(), Host: h.Plan.Name, Peer: inside.Index,
		RxPackets: c.RxFrames, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxFrames, TxBytes: c.TxBytes, TxDropped: c.TxDropped}}
	row.Name, row.MAC = dockerhost.VethName(s.world.Plan().Name, h.Plan.Name, card.Plan)
	return row, true
}
