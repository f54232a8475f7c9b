package graph

import (
	"slices"

	"uswitch/cmd/internal/control/api"
)

// place places a network and its hosts from y on, and returns where they end.
func (d *drawing) place(b *band, y int) (bottom int) {
	bottom = y
	if b.network != nil {
		b.node = d.add(api.Node{ID: "network:" + b.network.Name, Kind: api.NodeNetwork, Name: b.network.Name, Lines: networkLines(b.network),
			Colour: d.colours[b.network.Name], X: d.switchX, Y: y, W: d.switchWidth, H: nameLine + textLine*len(networkLines(b.network)) + padding})
		bottom += d.picture.Nodes[b.node].H
	}
	nics := d.nics(b)
	top, columns := y, d.columns
	for first := 0; first < len(nics); first += columns {
		row := nics[first:min(first+columns, len(nics))]
		bus, height := top+boxHeight/2, 0
		var indexes []int
		for i, n := range row {
			n.X, n.Y, n.W = d.column(i), bus+rowGap/2, d.nicWidth
			n.H = nameLine + textLine*len(n.Lines) + padding
			height = max(height, n.H)
			indexes = append(indexes, d.add(n))
		}
		b.rows, b.buses = append(b.rows, indexes), append(b.buses, bus)
		bottom = max(bottom, bus+rowGap/2+height)
		top = bottom + rowGap/2 - boxHeight/2
	}
	if b.network != nil && len(b.buses) == 0 {
		b.buses = []int{y + boxHeight/2}
	}
	return bottom
}

// nics are the nodes of a band that have no place yet.
func (d *drawing) nics(b *band) (nodes []api.Node) {
	colour := -1
	if b.network != nil {
		colour = d.colours[b.network.Name]
	}
	for _, c := range b.nics {
		n := api.Node{ID: c.id, Kind: api.NodeHost, Name: c.name, Lines: nicLines(&c), Colour: colour}
		if len(c.hosts) > 1 {
			n.Kind = api.NodeGroup
			for _, h := range c.hosts {
				n.Members = append(n.Members, h.Name)
			}
		}
		nodes = append(nodes, n)
	}
	for _, o := range b.others {
		nodes = append(nodes, api.Node{ID: "tunnel:" + b.network.Name + "/" + o.name, Kind: api.NodeTunnel, Name: o.name, Lines: o.lines, Colour: colour})
	}
	return nodes
}

// gateway draws the bar that networks meet, and what is beyond it.
func (d *drawing) gateway() {
	top, bottom := margin, margin+boxHeight
	for _, b := range d.bands {
		if b.network != nil {
			bottom = max(bottom, d.picture.Nodes[b.node].Y+d.picture.Nodes[b.node].H)
		}
	}
	d.add(api.Node{ID: "gateway", Kind: api.NodeGateway, Name: "gateway", Colour: -1, X: d.gatewayX, Y: top, W: d.gatewayWidth, H: bottom - top})
	for _, b := range d.bands {
		if b.network == nil || !b.network.Gateway.IsValid() {
			continue
		}
		y := b.buses[0]
		d.link(api.Link{ID: "trunk " + b.network.Name, Kind: api.LinkTrunk, From: "network:" + b.network.Name, To: "gateway", Network: b.network.Name,
			Label: b.network.Gateway.String(), Colour: d.colours[b.network.Name], Path: []api.XY{{X: d.switchX, Y: y}, {X: d.gatewayX + d.gatewayWidth, Y: y}}})
	}
	if !d.hasUplink() {
		return
	}
	lines := d.outsideLines()
	height := nameLine + textLine*len(lines) + padding
	y := max(top, min(top+(bottom-top-height)/2, top+boxHeight*2))
	d.add(api.Node{ID: "outside", Kind: api.NodeOutside, Name: d.outsideName(), Lines: lines, Colour: -1, X: d.outsideX, Y: y, W: d.outsideWidth, H: height})
	middle := min(y+height/2, bottom-padding)
	d.link(api.Link{ID: "uplink", Kind: api.LinkUplink, From: "gateway", To: "outside", Label: d.lab.uplinkAddress(), Colour: -1,
		Path: []api.XY{{X: d.gatewayX, Y: middle}, {X: d.outsideX + d.outsideWidth, Y: middle}}})
}

func (d *drawing) link(l api.Link) { d.picture.Links = append(d.picture.Links, l) }

// cables draws a line from each interface to its switch.
func (d *drawing) cables() {
	for i := range d.bands {
		b := &d.bands[i]
		for row, indexes := range b.rows {
			for column, index := range indexes {
				d.cablesOf(b, row, column, index)
			}
		}
	}
}

func (d *drawing) cablesOf(b *band, row, column, index int) {
	n := d.picture.Nodes[index]
	if n.Kind == api.NodeTunnel {
		d.link(api.Link{ID: n.ID, Kind: api.LinkCable, From: n.ID, To: "network:" + b.network.Name, Network: b.network.Name, Colour: n.Colour,
			Path: d.onBus(b, row, n.X+n.W/2, n.Y)})
		return
	}
	name := n.Name
	if len(n.Members) > 0 {
		name = n.Members[0]
	}
	i := slices.IndexFunc(d.lab.Hosts, func(h api.Host) bool { return h.Name == name })
	h := &d.lab.Hosts[i]
	if h.Shares != "" {
		d.shared(&n, h)
		return
	}
	for k, nic := range h.Interfaces {
		l := api.Link{ID: h.Name + " " + nic.Name, Kind: api.LinkCable, From: n.ID, To: "network:" + nic.Network, Interface: nic.Name, Network: nic.Network,
			Colour: d.colours[nic.Network]}
		if len(n.Members) == 0 {
			l.Down = d.lab.down(h.Name, nic)
		}
		if b.network != nil && nic.Network == b.network.Name {
			l.Path = d.onBus(b, row, n.X+n.W/2+k*lane, n.Y)
		} else if other := d.band(nic.Network); other != nil {
			l.Path = d.across(other, column, &n, k)
		} else {
			continue
		}
		d.link(l)
	}
}

// onBus is the way from the top of an interface, over the bus of its row, to the switch.
func (d *drawing) onBus(b *band, row, x, top int) []api.XY {
	bus := b.buses[row]
	path := []api.XY{{X: x, Y: top}, {X: x, Y: bus}}
	return append(path, d.toSwitch(b, row)...)
}

// toSwitch is the rest of the way, along the bus.
func (d *drawing) toSwitch(b *band, row int) []api.XY {
	end := api.XY{X: d.switchX + d.switchWidth, Y: b.buses[0]}
	if row == 0 {
		return []api.XY{end}
	}
	return []api.XY{{X: d.riser(), Y: b.buses[row]}, {X: d.riser(), Y: b.buses[0]}, end}
}

// riser is where the buses of a network's rows are joined.
func (d *drawing) riser() int { return d.switchX + d.switchWidth + gutter/2 }

// across is the way of a cable to another band, through the gutter behind its column.
func (d *drawing) across(other *band, column int, n *api.Node, k int) []api.XY {
	x := n.X + n.W + lane*(1+d.lanes[column]%max(1, (d.gutter-lane)/lane))
	d.lanes[column]++
	y := n.Y + nameLine + textLine*k
	return append([]api.XY{{X: n.X + n.W, Y: y}, {X: x, Y: y}, {X: x, Y: other.buses[0]}}, d.toSwitch(other, 0)...)
}

func (d *drawing) band(network string) *band {
	for i := range d.bands {
		if d.bands[i].network != nil && d.bands[i].network.Name == network {
			return &d.bands[i]
		}
	}
	return nil
}

// shared joins a host to the one whose namespace it has.
func (d *drawing) shared(n *api.Node, h *api.Host) {
	i := slices.IndexFunc(d.picture.Nodes, func(o api.Node) bool { return o.ID == "host:"+h.Shares })
	if i < 0 {
		return
	}
	owner := d.picture.Nodes[i]
	a, b := api.XY{X: n.X + n.W/2, Y: n.Y + n.H}, api.XY{X: owner.X + owner.W/2, Y: owner.Y + owner.H}
	low := max(a.Y, b.Y) + lane
	d.link(api.Link{ID: h.Name + " shares", Kind: api.LinkShared, From: n.ID, To: owner.ID, Colour: n.Colour,
		Path: []api.XY{a, {X: a.X, Y: low}, {X: b.X, Y: low}, b}})
}

// finish draws the buses as far as cables come to them, and measures the whole.
func (d *drawing) finish() {
	for i := range d.bands {
		b := &d.bands[i]
		if b.network == nil {
			continue
		}
		for row, y := range b.buses {
			end := d.riser()
			for _, l := range d.picture.Links {
				for _, at := range l.Path {
					if l.Kind == api.LinkCable && l.Network == b.network.Name && at.Y == y {
						end = max(end, at.X)
					}
				}
			}
			bus := []api.XY{{X: d.switchX + d.switchWidth, Y: y}, {X: end, Y: y}}
			if row > 0 {
				bus = []api.XY{{X: d.riser(), Y: b.buses[0]}, {X: d.riser(), Y: y}, {X: end, Y: y}}
			}
			d.picture.Nodes[b.node].Bus = append(d.picture.Nodes[b.node].Bus, bus)
		}
	}
	p := d.picture
	for _, n := range p.Nodes {
		p.Width, p.Height = max(p.Width, n.X+n.W), max(p.Height, n.Y+n.H)
	}
	for _, l := range p.Links {
		for _, at := range l.Path {
			p.Width, p.Height = max(p.Width, at.X), max(p.Height, at.Y)
		}
	}
	p.Width, p.Height = p.Width+margin, p.Height+margin
}
