package watch

import (
	"fmt"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// picture is a drawing of a lab.
type picture struct {
	hosts    []api.Host
	networks []api.Network
	uplink   string // its kind; none: there is no way out
	at       string // where the last step was: a host, a network, gateway or uplink; it is marked
}

// cable is an interface of a host.
type cable struct{ host, address string }

// draw draws the lab in so many lines of so many columns. Where there is not room for all hosts the last line counts the rest.
//
//	RED  11.11.11.2 --+
//	BLUE 11.11.11.3 --+-- br0 --+
//	WEB  22.22.22.2 --+-- br1 --+-- gateway -- uplink
func (p *picture) draw(width, height int) []string {
	var lines []string
	names, addresses := 1, 1
	cables := map[string][]cable{}
	for _, h := range p.hosts {
		names = max(names, len(h.Name))
		for _, i := range h.Interfaces {
			c := cable{h.Name, i.Address.Addr().String()}
			cables[i.Network] = append(cables[i.Network], c)
			addresses = max(addresses, len(c.address))
		}
	}
	names = min(names, 12)
	networks := 1
	for _, n := range p.networks {
		networks = max(networks, len(n.Name))
	}
	for i, n := range p.networks {
		here := cables[n.Name]
		for k := range max(len(here), 1) {
			left := strings.Repeat(" ", names+addresses+5)
			if k < len(here) {
				left = fmt.Sprintf("%s%-*s %-*s --", p.mark(here[k].host), names, cut(here[k].host, names), addresses, here[k].address)
			}
			if k < max(len(here), 1)-1 {
				lines = append(lines, left+"+"+p.trunk(i, networks))
				continue
			}
			lines = append(lines, fmt.Sprintf("%s+-%s%-*s -+%s", left, p.mark(n.Name), networks, n.Name, p.way(i)))
		}
	}
	for _, h := range p.hosts {
		if len(h.Interfaces) == 0 {
			lines = append(lines, fmt.Sprintf("%s%-*s (no network)", p.mark(h.Name), names, cut(h.Name, names)))
		}
	}
	if len(lines) > height {
		more := len(lines) - height + 1
		lines = append(lines[:height-1], fmt.Sprintf(" ... and %d more lines", more))
	}
	for i := range lines {
		lines[i] = cut(strings.TrimRight(lines[i], " "), width)
	}
	return lines
}

// mark stands in front of where the last step was.
func (p *picture) mark(name string) string {
	if name == p.at {
		return "*"
	}
	return " "
}

// trunk is the cable to the gateway beside a line of the network i that is not its last.
func (p *picture) trunk(i, networks int) string {
	if i == 0 {
		return ""
	}
	return strings.Repeat(" ", networks+4) + "|"
}

// way is what stands behind the last line of the network i: the gateway behind the last network.
func (p *picture) way(i int) string {
	if i < len(p.networks)-1 {
		return ""
	}
	text := "-" + p.mark("gateway") + "gateway"
	if p.uplink != "none" && p.uplink != "" {
		text += " --" + p.mark("uplink") + "uplink"
	}
	return text
}

// cut shortens text to so many columns; two dots say so.
func cut(text string, width int) string {
	runes := []rune(text)
	switch {
	case len(runes) <= width:
		return text
	case width < 2:
		return strings.Repeat(".", max(width, 0))
	}
	return string(runes[:width-2]) + ".."
}
