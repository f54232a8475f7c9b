package graph

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"uswitch/cmd/internal/control/api"
)

// Sizes, in pixels.
const (
	margin    = 24
	letter    = 8  // width of a character, and a little more
	bold      = 10 // of a name's
	padding   = 12
	nameLine  = 22
	textLine  = 17
	minNIC    = 112
	maxNIC    = 240
	rowGap    = 38 // between two rows of interfaces: the bus of the lower one is there
	bandGap   = 30 // between two networks
	gutter    = 26 // between two columns, and more for each cable that runs there
	lane      = 9  // between two cables of one gutter
	boxHeight = 60
)

// Layout places everything. open names groups that are drawn host by host: see fold.
func Layout(l *Lab, open ...string) *api.Picture {
	d := &drawing{lab: l, picture: &api.Picture{Lab: l.Lab.Name}, colours: map[string]int{}, lanes: map[int]int{}}
	for i, n := range l.Networks {
		d.colours[n.Name] = i
	}
	d.share(fold(l.Hosts, open))
	d.measure()
	d.left()
	y := margin
	for i := range d.bands {
		y = d.place(&d.bands[i], y) + bandGap
	}
	d.gateway()
	d.cables()
	d.finish()
	return d.picture
}

// drawing is a picture while it is made.
type drawing struct {
	lab     *Lab
	picture *api.Picture
	colours map[string]int
	bands   []band
	lanes   map[int]int // cables in the gutter behind a column

	columns, nicWidth, gutter  int
	outsideX, outsideWidth     int
	gatewayX, gatewayWidth     int
	switchX, switchWidth, nicX int
}

// band is a network with its hosts. The last one may be of hosts that are on no network.
type band struct {
	network *api.Network // nil: none
	nics    []nic
	others  []other
	rows    [][]int // indexes of nodes
	buses   []int   // where the bus of each row is
	node    int     // index of the switch
}

// share gives each interface to the network that it is on first. Hosts that share a namespace stand behind its owner.
func (d *drawing) share(nics []nic) {
	d.bands = make([]band, len(d.lab.Networks), len(d.lab.Networks)+1)
	for i := range d.lab.Networks {
		d.bands[i].network = &d.lab.Networks[i]
		d.bands[i].others = d.others(d.lab.Networks[i].Name)
	}
	sharers := map[string][]nic{}
	for _, c := range nics {
		if owner := c.hosts[0].Shares; owner != "" {
			sharers[owner] = append(sharers[owner], c)
		}
	}
	var alone []nic
	for _, c := range nics {
		h := &c.hosts[0]
		if h.Shares != "" && slices.ContainsFunc(nics, func(o nic) bool { return o.name == h.Shares }) {
			continue
		}
		all := append([]nic{c}, sharers[h.Name]...)
		i := -1
		if len(h.Interfaces) > 0 {
			i = slices.IndexFunc(d.lab.Networks, func(n api.Network) bool { return n.Name == h.Interfaces[0].Network })
		}
		if i < 0 {
			alone = append(alone, all...)
			continue
		}
		d.bands[i].nics = append(d.bands[i].nics, all...)
	}
	if len(alone) > 0 {
		d.bands = append(d.bands, band{nics: alone})
	}
}

// other is a port of a network behind which is no host.
type other struct {
	name  string
	lines []string // where it leads to, if that is known
}

// others lists a network's ports that lead to other machines, or by a cable to another switch or the gateway.
func (d *drawing) others(network string) (others []other) {
	for _, p := range d.lab.Ports {
		host := func(h api.Host) bool { return h.Name == p.Name }
		if p.Network != network || p.Number == 0 || slices.ContainsFunc(d.lab.Hosts, host) {
			continue
		}
		o := other{name: p.Name}
		if i := slices.IndexFunc(d.lab.Devices, func(e api.Device) bool {
			return e.Port == p.Name && (e.Master == network || e.Name == network)
		}); i >= 0 {
			switch e := &d.lab.Devices[i]; {
			case e.Kind == api.KindVXLAN:
				o.lines = []string{"to other machines"}
			case e.PeerDev != "":
				o.lines = []string{"cable to " + e.PeerDev}
			case e.Host != "":
				continue // a host's second interface here, whose link is drawn
			}
		}
		others = append(others, o)
	}
	return others
}

// measure chooses how many columns there are, and how wide they are: a picture is to be about as wide as a screen.
func (d *drawing) measure() {
	d.nicWidth = minNIC
	total, most := 0, 1
	crossing := 0
	for i := range d.bands {
		nics := len(d.bands[i].nics) + len(d.bands[i].others)
		total, most = total+nics, max(most, nics)
		for _, c := range d.bands[i].nics {
			d.nicWidth = max(d.nicWidth, textWidth(c.name, nicLines(&c)...))
			crossing += max(0, len(c.hosts[0].Interfaces)-1)
		}
	}
	d.columns = 2
	for d.columns < 12 && d.columns < most && d.columns*d.columns*2 < total*3 {
		d.columns++
	}
	d.columns = min(d.columns, most)
	d.gutter = gutter + lane*min(crossing, 4)
}

// textWidth is how wide a box for a name and some lines is.
func textWidth(name string, lines ...string) int {
	width := bold * utf8.RuneCountInString(name)
	for _, line := range lines {
		width = max(width, letter*utf8.RuneCountInString(line))
	}
	return min(width+2*padding, maxNIC)
}

// nicLines are what stands below an interface's name.
func nicLines(c *nic) (lines []string) {
	h := &c.hosts[0]
	if len(c.hosts) > 1 {
		return []string{h.Name + " ... " + c.hosts[len(c.hosts)-1].Name}
	}
	switch {
	case h.Shares != "":
		return []string{"inside " + h.Shares}
	case len(h.Interfaces) == 0 && h.Mode != "":
		return []string{"network mode " + h.Mode}
	case len(h.Interfaces) == 0:
		return []string{"no network"}
	}
	for _, i := range h.Interfaces {
		address := "no address of the lab's"
		if i.Address.IsValid() {
			address = i.Address.Addr().String()
		}
		lines = append(lines, i.Name+"  "+address)
	}
	return lines
}

// left decides where the columns are: outside, gateway, switches, interfaces.
func (d *drawing) left() {
	x := margin
	if d.hasUplink() {
		d.outsideX, d.outsideWidth = x, textWidth(d.outsideName(), d.outsideLines()...)
		x += d.outsideWidth + max(gutter*2, textWidth("", d.lab.uplinkAddress()))
	}
	d.gatewayX, d.gatewayWidth = x, textWidth("gateway")
	gap := gutter * 2
	d.switchWidth = minNIC
	for _, n := range d.lab.Networks {
		d.switchWidth = max(d.switchWidth, textWidth(n.Name, networkLines(&n)...))
		if n.Gateway.IsValid() {
			gap = max(gap, textWidth("", n.Gateway.String()))
		}
	}
	d.switchX = x + d.gatewayWidth + gap
	d.nicX = d.switchX + d.switchWidth + 2*gutter
}

func networkLines(n *api.Network) []string {
	var lines []string
	if n.Subnet.IsValid() {
		lines = append(lines, n.Subnet.String())
	}
	if n.Internal {
		lines = append(lines, "internal")
	}
	return lines
}

func (d *drawing) hasUplink() bool { return d.lab.Lab.Uplink != "" && d.lab.Lab.Uplink != "none" }

// outsideName says what is beyond the uplink.
func (d *drawing) outsideName() string {
	switch uplink := d.lab.Lab.Uplink; uplink {
	case "sim":
		return "internet (simulated)"
	case "host":
		return "this machine's network"
	default:
		return "uplink " + uplink
	}
}

// maxPublished is how many published ports stand beside the outside.
const maxPublished = 6

func (d *drawing) outsideLines() (lines []string) {
	for i, p := range d.lab.Published {
		if i == maxPublished && len(d.lab.Published) > maxPublished+1 {
			return append(lines, fmt.Sprintf("and %d ports more", len(d.lab.Published)-i))
		}
		lines = append(lines, fmt.Sprintf("%d/%s to %s", p.HostPort, p.Protocol, p.Host))
	}
	return lines
}

// column returns where a column begins.
func (d *drawing) column(i int) int { return d.nicX + i*(d.nicWidth+d.gutter) }

// add adds a node and returns its index.
func (d *drawing) add(n api.Node) int {
	d.picture.Nodes = append(d.picture.Nodes, n)
	return len(d.picture.Nodes) - 1
}
