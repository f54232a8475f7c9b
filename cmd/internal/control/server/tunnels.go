package server

import (
	"net/http"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/world"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/vxlan"
)

// tunnels lists the ports to other machines.
func (s *Server) tunnels(*http.Request) (any, error) {
	rows := []api.Tunnel{}
	for _, n := range s.world.Networks() {
		t := n.Tunnel
		if t == nil {
			continue
		}
		l := t.Link()
		row := api.Tunnel{Network: n.Plan.Name, Name: t.Plan.Name, VNI: l.VNI(), Local: l.Local(), TTL: t.Plan.TTL, MTU: n.Plan.MTU, Learning: l.Learning(),
			Peers: []api.TunnelPeer{}, Dropped: l.Dropped(), Overflowed: t.Overflowed()}
		if sum, ok := uplink.ChecksumErrors(); ok && !s.world.Simulated() {
			row.ChecksumErrors = &sum
		}
		said := t.Peers()
		for _, a := range l.Peers() {
			p := api.TunnelPeer{Addr: a}
			if i := slices.IndexFunc(said, func(p uplink.PeerState) bool { return p.Addr == a }); i >= 0 {
				p.Errors, p.Error, p.From, p.When = said[i].Errors, said[i].Last, said[i].From, said[i].When
			}
			row.Peers = append(row.Peers, p)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// remotes are the rows of a tunnel's own table, as Linux' vxlan device has them.
func (s *Server) remotes(n *world.Network) (rows []api.FDBEntry) {
	if n.Tunnel == nil {
		return nil
	}
	for _, e := range n.Tunnel.Link().Entries(s.world.Now()) {
		row := api.FDBEntry{MAC: e.MAC, Ifname: n.Tunnel.Plan.Name, Dst: e.Remote.String(), Flags: []string{"self"}}
		since := e.Since.Seconds()
		row.Since = &since
		if e.Static {
			row.State = "permanent"
		} else {
			age := e.Seen.Seconds()
			row.Age = &age
		}
		rows = append(rows, row)
	}
	return rows
}

// tunnelDevice is a tunnel as a device.
func (s *Server) tunnelDevice(n *world.Network) device {
	t := n.Tunnel
	c := t.Port().Counters()
	row := api.Device{Kind: api.KindVXLAN, Name: t.Plan.Name, Port: t.Plan.Name, Host: t.Plan.Name, MTU: t.Port().Flags().MTU, Carrier: true, Master: n.Plan.Name, Number: t.Port().ID(),
		RxPackets: c.RxFrames, RxBytes: c.RxBytes, RxDropped: c.RxDropped + t.Link().Dropped(), TxPackets: c.TxFrames, TxBytes: c.TxBytes, TxDropped: c.TxDropped}
	_, row.MAC = dockerhost.VethName(s.world.Plan().Name, t.Plan.Name, &plan.Interface{Name: t.Plan.Name})
	return device{Device: row}
}

// changeRemote enters or forgets a row of a tunnel's own table. The address 00:00:00:00:00:00 stands for a peer.
func (s *Server) changeRemote(r *http.Request) (any, error) {
	var c api.TunnelEntry
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.world.Networks(), func(n *world.Network) bool { return n.Tunnel != nil && n.Tunnel.Plan.Name == c.Dev })
	if i < 0 {
		return nil, kernel("RTNETLINK answers: No such device")
	}
	if !c.Dst.Is4() || c.Dst.IsMulticast() || c.Dst.IsUnspecified() {
		return nil, kernel("dst %v: want the IPv4 address of one machine", c.Dst)
	}
	l := s.world.Networks()[i].Tunnel.Link()
	remove, peer := r.Method == http.MethodDelete, c.MAC == frame.MAC{}
	known := slices.ContainsFunc(l.Entries(s.world.Now()), func(e vxlan.Entry) bool {
		return e.MAC == c.MAC && e.Static && (e.Remote == c.Dst || !peer && !remove)
	})
	switch {
	case remove && peer:
		if !l.RemovePeer(c.Dst) {
			return nil, kernel("RTNETLINK answers: No such file or directory")
		}
	case remove:
		if l.Remove(c.MAC, c.Dst) != nil {
			return nil, kernel("RTNETLINK answers: No such file or directory")
		}
	case known && !c.Replace:
		return nil, kernel("RTNETLINK answers: File exists")
	case peer && c.Replace:
		l.SetPeers([]netip.Addr{c.Dst})
	case peer:
		l.AddPeer(c.Dst)
	default:
		if err := l.Set(c.MAC, c.Dst, s.world.Now()); err != nil {
			return nil, kernel("%v", err)
		}
	}
	return nil, nil
}
