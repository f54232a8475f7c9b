package hosttool

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/frame"
)

// linkFilters are words that `ip link show` and `ip addr show` know besides those that are answered.
var linkFilters = []string{"to", "scope", "dynamic", "permanent", "secondary", "primary", "temporary", "mngtmpaddr", "noprefixroute",
	"autojoin", "tentative", "deprecated", "dadfailed", "home", "nodad", "optimistic", "label", "group", "vrf", "nomaster", "proto"}

func (i *ip) link(ctx context.Context) error {
	command, err := i.command("link", linkCommands, []string{"show", "add", "set", "delete"})
	if err != nil {
		return err
	}
	switch command {
	case "add":
		return i.addLink(ctx)
	case "set":
		return i.setLink(ctx)
	case "delete":
		return i.deleteLink(ctx)
	}
	rows, err := i.selected(ctx)
	if err != nil {
		return err
	}
	return i.write(i.format, view.LinksJSON(rows, i.view), func() error { return view.Links(i.Out, rows, i.view) })
}

// linkWords are words that `ip link add` and `ip link set` know besides those that are answered.
var linkWords = []string{"alias", "allmulticast", "arp", "broadcast", "brd", "carrier", "dynamic", "group", "gso_max_segs", "gso_max_size",
	"gro_max_size", "index", "link", "link-netnsid", "mode", "multicast", "numrxqueues", "numtxqueues", "parentdev", "promisc", "protodown",
	"protodown_reason", "state", "trailers", "txqueuelen", "txqlen", "qlen", "vf", "vrf", "xdp", "xdpgeneric", "xdpdrv", "addrgenmode"}

// linkArgs are what a device is to be, as `ip link` reads it (iproute2 ip/iplink.c, iplink_parse).
type linkArgs struct {
	dev, name, netns, master, kind string
	mac                            frame.MAC
	mtu                            int
	up                             *bool
	nomaster                       bool
}

// read reads words up to type, or to the end.
func (a *linkArgs) read(i *ip) error {
	for {
		word, more := i.next()
		if !more {
			return nil
		}
		switch word {
		case "up", "down":
			up := word == "up"
			a.up = &up
		case "nomaster":
			a.nomaster = true
		case "type":
			return i.set(word, &a.kind)
		case "name":
			if err := i.ifname(word, &a.name); err != nil {
				return err
			}
		case "dev":
			if err := i.ifname(word, &a.dev); err != nil {
				return err
			}
		case "netns":
			if err := i.set(word, &a.netns); err != nil {
				return err
			}
		case "master":
			if err := i.set(word, &a.master); err != nil {
				return err
			}
		case "mtu", "address":
			value, err := i.value()
			if err == nil && word == "mtu" {
				a.mtu, err = mtuOf(value)
			} else if err == nil {
				a.mac, err = lladdr(value)
			}
			if err != nil {
				return err
			}
		default:
			if slices.Contains(linkWords, word) {
				return i.unanswered(word)
			}
			if a.dev != "" {
				return refuse(255, "Error: either \"dev\" is duplicate, or %q is a garbage.", word)
			}
			if err := ifname("dev", word); err != nil {
				return err
			}
			a.dev = word
		}
	}
}

// ifname reads the name of a device behind a word.
func (w *words) ifname(option string, value *string) error {
	if err := w.set(option, value); err != nil {
		return err
	}
	return ifname(option, *value)
}

// ifname accepts what can be the name of a device (iproute2 lib/utils.c, check_ifname); its length is the kernel's to judge.
func ifname(option, name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/ \t\n\v\f\r") {
		return refuse(255, "Error: argument %q is wrong: %q not a valid ifname", name, option)
	}
	return nil
}

func mtuOf(text string) (int, error) {
	n, err := strconv.ParseUint(text, 0, 31)
	if err != nil {
		return 0, refuse(255, "Error: argument %q is wrong: Invalid \"mtu\" value\n", text)
	}
	return int(n), nil
}

func lladdr(text string) (frame.MAC, error) {
	mac, err := frame.ParseMAC(text)
	if err == nil {
		return mac, nil
	}
	parts := strings.Split(text, ":")
	for _, p := range parts {
		if _, bad := strconv.ParseUint(p, 16, 8); bad != nil {
			return mac, refuse(1, "%q is invalid lladdr.", text)
		}
	}
	return mac, refuse(1, "Invalid address length %d - must be 6 bytes", len(parts))
}

// addLink answers `ip link add NAME ... type bridge` and `ip link add NAME ... type veth peer name NAME ...`.
func (i *ip) addLink(ctx context.Context) error {
	var a linkArgs
	if err := a.read(i); err != nil {
		return err
	}
	if a.kind == "" {
		return refuse(1, `Not enough information: "type" argument is required`)
	}
	var peer linkArgs
	switch {
	case a.kind == api.KindVeth:
		if err := i.peer(&peer); err != nil {
			return err
		}
	case a.kind == api.KindBridge:
		if word, more := i.next(); more {
			return refuse(255, "Error: %q is not answered by uswitch ip link add type bridge: `uswitch set network` has what a switch knows.", word)
		}
	default:
		return i.otherKind(a.kind)
	}
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	for _, e := range []*linkArgs{&a, &peer} {
		if err := i.netnsArg(ctx, e.netns); err != nil {
			return err
		}
		if len(cmpName(e)) > 15 {
			return refuse(2, "Error: Attribute failed policy validation.")
		}
		if e.master != "" || e.up != nil || e.nomaster {
			return refuse(255, "Error: master, up and down are not answered with ip link add: `uswitch ip link set` has them.")
		}
	}
	c := api.LinkAdd{LinkEnd: a.end(i.Netns), Kind: a.kind}
	if a.kind == api.KindBridge && c.Netns != "" {
		return refuse(2, "Error: a bridge in a namespace is not answered here: bridges are the machine's. A host with several interfaces can forward.")
	}
	taken := map[string]bool{}
	c.Name = unused(c.Name, c.Netns, a.kind, devices, taken)
	if a.kind == api.KindVeth {
		end := peer.end(i.Netns)
		end.Name = unused(end.Name, end.Netns, a.kind, devices, taken)
		c.Peer = &end
	}
	return i.Lab.Do(ctx, http.MethodPost, "/v1/links", nil, c, nil)
}

func cmpName(a *linkArgs) string {
	if a.name != "" {
		return a.name
	}
	return a.dev
}

// end returns what is asked of one device; here is where the command is typed.
func (a *linkArgs) end(here string) api.LinkEnd {
	e := api.LinkEnd{Name: cmpName(a), MAC: a.mac, MTU: a.mtu, Netns: here}
	if a.netns != "" {
		e.Netns = netnsName(a.netns)
	}
	return e
}

// peer reads what stands behind type veth.
func (i *ip) peer(p *linkArgs) error {
	word, more := i.next()
	if !more {
		return nil
	}
	if word != "peer" {
		return refuse(255, "veth: unknown option %q?\nUsage: ip link <options> type veth [peer <options>]\nTo get <options> type 'ip link add help'", word)
	}
	if err := p.read(i); err != nil {
		return err
	}
	if p.kind != "" {
		return refuse(255, "Error: argument %q is wrong: type is of the peer, which is a veth as well", p.kind)
	}
	return nil
}

// kinds are those that the kernel has besides.
var kinds = []string{"bond", "can", "dummy", "erspan", "geneve", "gre", "gretap", "hsr", "ifb", "ip6gre", "ip6tnl", "ipip", "ipoib", "ipvlan",
	"ipvtap", "lowpan", "macsec", "macvlan", "macvtap", "netdevsim", "nlmon", "rmnet", "sit", "team", "vcan", "vlan", "vrf", "vti", "vxcan",
	"vxlan", "wireguard", "xfrm"}

func (i *ip) otherKind(kind string) error {
	if slices.Contains(kinds, kind) {
		return refuse(2, "Error: type %s is not answered here; there are bridge and veth.", kind)
	}
	return refuse(2, "Error: Unknown device type.")
}

// unused returns a name that was given, or the one that the kernel would choose: the first number that is free.
func unused(name, netns, kind string, devices []api.Device, taken map[string]bool) string {
	for n := 0; name == ""; n++ {
		candidate := fmt.Sprint(kind, n)
		_, there := named(devices, candidate)
		if (!there || netns != "") && !taken[candidate] {
			name = candidate
		}
	}
	taken[name] = true
	return name
}

// setLink answers `ip link set DEV ...`.
func (i *ip) setLink(ctx context.Context) error {
	var a linkArgs
	if err := a.read(i); err != nil {
		return err
	}
	if a.dev == "" {
		return refuse(255, `Not enough information: "dev" argument is required.`)
	}
	if a.kind != "" {
		return refuse(255, "Error: type %s is not answered by uswitch ip link set.", a.kind)
	}
	if err := i.netnsArg(ctx, a.netns); err != nil {
		return err
	}
	c := api.LinkChange{Dev: a.dev, From: i.Netns, Up: a.up, Name: a.name, MAC: a.mac, MTU: a.mtu}
	if len(a.name) > 15 {
		return refuse(2, "Error: Attribute failed policy validation.")
	}
	if a.netns != "" {
		to := netnsName(a.netns)
		c.Netns = &to
	}
	if i.Netns == "" {
		devices, err := i.devices(ctx)
		if err != nil {
			return err
		}
		if _, ok := named(devices, a.master); a.master != "" && !ok {
			return refuse(255, "Error: argument %q is wrong: Device does not exist\n", a.master)
		}
		if _, ok := named(devices, a.dev); !ok {
			return refuse(1, "Cannot find device %q", a.dev)
		}
	}
	switch none := ""; {
	case a.nomaster:
		c.Master = &none
	case a.master != "":
		c.Master = &a.master
	}
	if c.Up == nil && c.Master == nil && c.Name == "" && c.MTU == 0 && c.Netns == nil && (c.MAC == frame.MAC{}) {
		return nil
	}
	return i.Lab.Do(ctx, http.MethodPost, "/v1/links/set", nil, c, nil)
}

func (i *ip) deleteLink(ctx context.Context) error {
	var a linkArgs
	if err := a.read(i); err != nil {
		return err
	}
	if a.dev == "" {
		return refuse(255, `Not enough information: "dev" argument is required.`)
	}
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	if _, ok := named(devices, a.dev); !ok {
		return refuse(1, "Cannot find device %q", a.dev)
	}
	return i.Lab.Do(ctx, http.MethodDelete, "/v1/links", nil, api.LinkDelete{Dev: a.dev}, nil)
}
