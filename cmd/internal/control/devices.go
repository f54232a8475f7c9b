package control

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/world"
	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// Device is a network device that the gateway would have if it were a Linux machine: a bridge for each network, one end of
// a pair for each port, the uplink, and lo.
type Device struct {
	Index   int          `json:"index"`
	Name    string       `json:"name"`
	Kind    string       `json:"kind"` // loopback, bridge, veth, ether (an uplink of frames) or none (an uplink of IP packets)
	MAC     frame.MAC    `json:"mac,omitzero"`
	Address netip.Prefix `json:"address,omitzero"` // the gateway's there
	MTU     int          `json:"mtu"`
	Carrier bool         `json:"carrier"`
	Down    bool         `json:"down,omitempty"` // taken down, as only the cards of hosts can be

	// Of a veth only.
	Master  string `json:"master,omitempty"`   // the network
	Number  uint32 `json:"number,omitempty"`   // of the port
	Host    string `json:"host,omitempty"`     // at the other end
	Peer    int    `json:"peer,omitempty"`     // the index of the other end, in the host's namespace
	NetnsID int    `json:"netns_id,omitempty"` // the number of the host's namespace, from 0

	namespace tap.ID
	RxPackets uint64 `json:"rx_packets"`
	RxBytes   uint64 `json:"rx_bytes"`
	RxDropped uint64 `json:"rx_dropped"`
	TxPackets uint64 `json:"tx_packets"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxDropped uint64 `json:"tx_dropped"`
}

// The kinds of devices.
const (
	KindLoopback = "loopback"
	KindBridge   = "bridge"
	KindVeth     = "veth"
	KindEther    = "ether"
	KindNone     = "none"
)

// devices lists lo, the uplink, and each network with its ports behind it, and what came later behind all that, as the
// kernel does: in the order of their numbers. A port whose cable is out is gone, like a veth
// whose container is.
func (s *Server) devices(*http.Request) (any, error) {
	rows := []Device{{Name: "lo", Kind: KindLoopback, Address: netip.MustParsePrefix("127.0.0.1/8"), MTU: 65536, Carrier: true}}
	if leg, ok := s.world.Gateway().Interface(world.UplinkName); ok {
		row := legDevice(leg)
		row.Kind, row.Carrier = KindEther, true
		if leg.IsUplink() {
			row.Kind = KindNone
		}
		rows = append(rows, row)
	}
	for _, n := range s.world.Networks() {
		bridge := Device{Name: n.Plan.Name, MTU: n.Plan.MTU}
		if n.Leg != nil { // else the gateway is not on it
			bridge = legDevice(n.Leg)
		}
		bridge.Kind = KindBridge
		var ports []Device
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
		rows = append(append(rows, bridge), ports...)
	}
	s.numbers.assign(rows)
	slices.SortFunc(rows, func(a, b Device) int { return cmp.Compare(a.Index, b.Index) })
	return rows, nil
}

func legDevice(leg *nat.Interface) Device {
	c := leg.Counters()
	return Device{Name: leg.Name(), MAC: leg.MAC(), Address: leg.Addr(), MTU: leg.MTU(),
		RxPackets: c.RxPackets, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxPackets, TxBytes: c.TxBytes, TxDropped: c.TxDropped}
}

func (s *Server) portDevice(h *world.Host, card *world.Card) (Device, bool) {
	device, ok := card.Port.Link().(tap.Device)
	if _, out := card.Unplugged(); out || !ok {
		return Device{}, false
	}
	inside, err := device.State()
	if err != nil {
		return Device{}, false // gone a moment ago
	}
	c := card.Port.Counters()
	row := Device{Kind: KindVeth, MTU: card.Port.Knobs().MTU, Carrier: inside.Up, Master: card.Plan.Network,
		Number: card.Port.ID(), Host: h.Plan.Name, Peer: inside.Index, namespace: h.Namespace.ID,
		RxPackets: c.RxFrames, RxBytes: c.RxBytes, RxDropped: c.RxDropped,
		TxPackets: c.TxFrames, TxBytes: c.TxBytes, TxDropped: c.TxDropped}
	row.Name, row.MAC = dockerhost.VethName(s.world.Plan().Name, h.Plan.Name, card.Plan)
	return row, true
}
