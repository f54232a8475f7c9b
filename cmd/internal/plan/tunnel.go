package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// driverVXLAN is the driver of a network that has hosts on several machines.
const driverVXLAN = "vxlan"

// drivers are those that a lab file can name; default is Docker's word for bridge.
var drivers = []string{"bridge", driverVXLAN}

// Tunnel is how a network goes on on other machines: VXLAN (RFC 7348), a port of its switch.
type Tunnel struct {
	Name     string     `json:"name"`            // of the port: vx0
	VNI      int        `json:"vni"`             // the network's number, the same on all machines
	Port     int        `json:"port"`            // UDP, the same on all machines
	Local    netip.Addr `json:"local,omitzero"`  // of this machine; zero: the one from which it reaches the first peer
	Peers    []string   `json:"peers,omitempty"` // the other machines, by address or name
	Learning bool       `json:"learning"`        // what they send tells where stations live
	TTL      int        `json:"ttl"`             // of the outer packets
}

// Defaults of a tunnel, and how much room its headers take: IPv4, UDP, VXLAN and Ethernet.
const (
	defaultTunnelPort = 4789 // IANA's, and Docker's; Linux' own default and flannel's is 8472
	defaultTunnelTTL  = 64
	maxVNI            = 1<<24 - 1
	tunnelOverhead    = 20 + 8 + 8 + 14
)

// tunnelKeys are what driver_opts, or x-uswitch.vxlan, can say of one.
var tunnelKeys = []string{"learning", "local", "mtu", "peers", "port", "ttl", "vni"}

// tunnel reads how a network goes on on other machines, and the MTU of its hosts; nil if it does not. What stands in driver_opts is
// text or numbers, as Compose has it; x-uswitch.vxlan has the same keys, and peers as a list.
func (b *builder) tunnel(config types.NetworkConfig, x *section, at path) (*Tunnel, int) {
	value := x.get(driverVXLAN)
	driver, _ := mapping(b.file, at...)["driver"].(string)
	if driver != driverVXLAN {
		if value != nil {
			x.bad(driverVXLAN, "only with driver: vxlan")
		}
		return nil, 0
	}
	values := map[string]any{}
	places := map[string]path{}
	for key, text := range config.DriverOpts {
		if slices.Contains(tunnelKeys, key) {
			values[key], places[key] = text, at.to("driver_opts", key)
		}
	}
	s := b.section(value, x.at.to(driverVXLAN))
	for _, key := range sortedKeys(s.values) {
		if _, twice := values[key]; twice {
			s.bad(key, "stands in driver_opts as well")
		}
		values[key], places[key] = s.values[key], s.at.to(key)
	}
	s.asked = tunnelKeys
	s.close()

	k := tunnelReader{b, values, places}
	t := &Tunnel{Name: fmt.Sprintf("vx%d", b.tunnels), VNI: k.number("vni", 0, maxVNI, -1), Port: k.number("port", 1, 65535, defaultTunnelPort),
		TTL: k.number("ttl", 1, 255, defaultTunnelTTL), Learning: k.boolean("learning", true), Local: k.address("local"), Peers: k.peers()}
	b.tunnels++
	if t.VNI < 0 {
		t.VNI = 0
		if values["vni"] == nil {
			b.wrong(at.to("driver_opts"), "vni: want the network's number, from 0 to %d, the same on all machines", maxVNI)
		}
	}
	if !t.Local.IsValid() && len(t.Peers) == 0 {
		b.wrong(at.to("driver_opts"), "local: want this machine's address, as there is no peer from which it would follow")
	}
	mtu := defaultMTU
	if b.opts.OuterMTU != nil {
		mtu = b.opts.OuterMTU(t.Local, t.Peers)
	}
	return t, k.number("mtu", minMTU, maxMTU, max(minMTU, mtu-tunnelOverhead))
}

// tunnelReader reads values that are text, numbers or lists.
type tunnelReader struct {
	*builder
	values map[string]any
	places map[string]path
}

func (k tunnelReader) bad(key, format string, args ...any) {
	k.wrong(k.places[key], format, args...)
}

func (k tunnelReader) text(key string) string {
	switch value := k.values[key].(type) {
	case nil:
		return ""
	case string, int, bool:
		return fmt.Sprint(value)
	}
	k.bad(key, "want a text, in quotes if need be")
	return ""
}

func (k tunnelReader) number(key string, least, most, absent int) int {
	text := k.text(key)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		k.bad(key, "%q: want a whole number from %d to %d", clip(text, 40), least, most)
		return absent
	}
	return n
}

func (k tunnelReader) boolean(key string, absent bool) bool {
	switch text := k.text(key); text {
	case "":
		return absent
	case "on", "true":
		return true
	case "off", "false":
		return false
	default:
		k.bad(key, "%q: want on or off", clip(text, 40))
		return absent
	}
}

func (k tunnelReader) address(key string) netip.Addr {
	text := k.text(key)
	if text == "" {
		return netip.Addr{}
	}
	a, err := parseAddr(text)
	if err != nil || a.IsMulticast() || a.IsUnspecified() {
		k.bad(key, "%q: want an IPv4 address of this machine, as in 192.168.50.1", clip(text, 60))
		return netip.Addr{}
	}
	return a
}

// peers reads a list, or a text with commas in it.
func (k tunnelReader) peers() (peers []string) {
	var given []string
	if list, ok := k.values["peers"].([]any); ok {
		for _, one := range list {
			given = append(given, fmt.Sprint(one))
		}
	} else if text := k.text("peers"); text != "" {
		given = strings.Split(text, ",")
	}
	for _, peer := range given {
		peer = strings.TrimSpace(peer)
		if err := verifyPeer(peer); err != nil {
			k.bad("peers", "%v", err)
		} else if slices.Contains(peers, peer) {
			k.bad("peers", "%s stands there twice", peer)
		} else {
			peers = append(peers, peer)
		}
	}
	return peers
}

// verifyPeer accepts the address or the name of a machine.
func verifyPeer(peer string) error {
	if a, err := netip.ParseAddr(peer); err == nil {
		if !a.Is4() || a.IsMulticast() || a.IsUnspecified() {
			return fmt.Errorf("%q: want the IPv4 address of one machine, as in 192.168.50.2", clip(peer, 60))
		}
		return nil
	}
	if peer == "" || strings.ContainsFunc(peer, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) || strings.Trim(peer, "0123456789.") == "" {
		return fmt.Errorf("%q: want the address or the name of a machine, as in 192.168.50.2 or node-b", clip(peer, 60))
	}
	return nil
}

// verify accepts a tunnel of a plan.
func (t *Tunnel) verify() error {
	switch {
	case t == nil:
		return nil
	case t.VNI < 0 || t.VNI > maxVNI:
		return fmt.Errorf("vni %d: want a whole number from 0 to %d", t.VNI, maxVNI)
	case t.Port < 1 || t.Port > 65535:
		return fmt.Errorf("port %d: want a whole number from 1 to 65535", t.Port)
	case t.TTL < 1 || t.TTL > 255:
		return fmt.Errorf("ttl %d: want a whole number from 1 to 255", t.TTL)
	case !t.Local.IsValid() && len(t.Peers) == 0:
		return fmt.Errorf("local: want this machine's address, as there is no peer from which it would follow")
	}
	for _, peer := range t.Peers {
		if err := verifyPeer(peer); err != nil {
			return err
		}
	}
	return ValidateInterfaceName(t.Name)
}

// SameEnd reports whether two tunnels differ at most in what can change while they are there.
func (t *Tunnel) SameEnd(o *Tunnel) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.Name == o.Name && t.VNI == o.VNI && t.Port == o.Port && t.Local == o.Local && t.TTL == o.TTL
}

// tunnelNames refuses hosts that are called like the port of a tunnel of their network.
func (b *builder) tunnelNames() {
	for i := range b.plan.Networks {
		n := &b.plan.Networks[i]
		if n.Tunnel != nil && b.plan.Host(n.Tunnel.Name) != nil {
			b.wrong(path{"services", n.Tunnel.Name}, "the port of network %s to other machines is called so: give the service another name", n.Name)
		}
	}
}

// Two networks of one lab may be one network in truth, on two machines that the lab plays: joined by a tunnel of one VNI, with one
// subnet. The gateway is on one of them at the most, as it would not know by which of them a host is reached.

// halves reports whether two networks of the file, of which only the subnets are read yet, can be that.
func (b *builder) halves(name, other string, subnet, otherSubnet netip.Prefix) bool {
	a, c := mapping(b.file, "networks", name), mapping(b.file, "networks", other)
	isolated := func(n map[string]any) bool { return mapping(n, "driver_opts")[optionGatewayMode] == "isolated" }
	return subnet == otherSubnet && a["driver"] == driverVXLAN && c["driver"] == driverVXLAN && (isolated(a) || isolated(c))
}

// joins is halves of two networks of a plan.
func (n *Network) joins(o *Network) bool {
	return n.Subnet == o.Subnet && n.Tunnel != nil && o.Tunnel != nil && n.Tunnel.VNI == o.Tunnel.VNI && (n.withoutGateway() || o.withoutGateway())
}

// otherHalf returns the network of the plan that is the same as n on another machine, or nil. Both hand out addresses of one pool.
func (b *builder) otherHalf(n *Network) *Network {
	for i := range b.plan.Networks {
		if o := &b.plan.Networks[i]; n.joins(o) {
			return o
		}
	}
	return nil
}
