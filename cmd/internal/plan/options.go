package plan

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// The options of a network's driver, in Docker's words.
const (
	optionName        = "com.docker.network.bridge.name"
	optionICC         = "com.docker.network.bridge.enable_icc"
	optionMasquerade  = "com.docker.network.bridge.enable_ip_masquerade"
	optionHostIP      = "com.docker.network.bridge.host_binding_ipv4"
	optionGatewayMode = "com.docker.network.bridge.gateway_mode_ipv4"
	optionMTU         = "com.docker.network.driver.mtu"
)

// acted are the options that uswitch acts on in a lab file.
var acted = []string{optionName, optionICC, optionMasquerade, optionHostIP, optionGatewayMode, optionGatewayMode6, optionMTU}

// gatewayModes are the values of gateway_mode_ipv4.
var gatewayModes = []string{"nat", "nat-unprotected", "routed", "isolated"}

// options are a network's driver_opts, read.
type options struct {
	*builder
	at     path
	values map[string]string
}

// options opens a network's driver_opts. Docker says nothing about a key that it does not know; here it is told of.
func (b *builder) options(config types.NetworkConfig, at path, tunnel bool) options {
	o := options{builder: b, at: at.to("driver_opts"), values: config.DriverOpts}
	known := acted
	if tunnel {
		known = slices.Concat(acted, tunnelKeys)
	}
	for _, key := range sortedKeys(o.values) {
		if !slices.Contains(known, key) {
			b.warn(b.line(o.at.to(key)), "%s: not acted on (%s): uswitch knows %s", clip(key, 80), at[1], strings.Join(known, ", "))
		}
	}
	return o
}

// boolean reads true and false in all the forms that Docker takes them in.
func (o options) boolean(key string, absent bool) bool {
	text, ok := o.values[key]
	if !ok {
		return absent
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		o.wrong(o.at.to(key), "%q: want \"true\" or \"false\"", clip(text, 40))
		return absent
	}
	return value
}

func (o options) mtu() int {
	text, ok := o.values[optionMTU]
	if !ok {
		return defaultMTU
	}
	mtu, err := strconv.Atoi(text)
	if err != nil || mtu < minMTU || mtu > maxMTU {
		o.wrong(o.at.to(optionMTU), "%q: want a whole number from %d to %d", clip(text, 40), minMTU, maxMTU)
	}
	return mtu
}

// hostIP is where ports are published that name no address themselves.
func (o options) hostIP() netip.Addr {
	text, ok := o.values[optionHostIP]
	if !ok {
		return netip.IPv4Unspecified()
	}
	a, err := parseAddr(text)
	if err != nil {
		o.wrong(o.at.to(optionHostIP), "%v", err)
		return netip.IPv4Unspecified()
	}
	return a
}

func (o options) gatewayMode(internal bool) string { return o.mode(optionGatewayMode, internal) }

// mode reads the gateway mode of one family.
func (o options) mode(key string, internal bool) string {
	mode, ok := o.values[key]
	switch {
	case !ok || mode == "":
		return "nat"
	case !slices.Contains(gatewayModes, mode):
		o.wrong(o.at.to(key), "%q: want %s", clip(mode, 40), strings.Join(gatewayModes, ", "))
	case mode != "nat" && o.plan.DockerRules == "20.10" && o.plan.Rules == nil:
		o.wrong(o.at.to(key), "%q: Docker 20.10, whose rules this lab has, has no gateway modes: want docker_rules: classic or 29", mode)
	case mode == "isolated" && !internal:
		o.wrong(o.at.to(key), "gateway mode 'isolated' can only be used for an internal network")
	}
	return mode
}

// Defaults and bounds of a network's settings.
const (
	defaultMTU        = 1500    // Docker's
	minMTU            = 68      // RFC 791: what every link must carry in one piece
	maxMTU            = 65521   // the kernel's for a TAP: 65535 less the Ethernet header
	defaultAgeingTime = 300     // seconds; IEEE 802.1D-2004 table 7-5, and the Linux bridge
	minAgeingTime     = 0       // nothing is remembered, as in Linux; the same table begins at 10
	maxAgeingTime     = 1000000 // the same table
	maxFDB            = 1000000 // stations
	// defaultStormLimit is far above what hosts flood, far below what a loop of two cables does.
	defaultStormLimit = 10000 // flooded frames a second
	maxStormLimit     = 100000000
)

// defaultFlags are those of a port about which nobody says anything. A host may be a DHCP server, as on Docker's bridge.
var defaultFlags = PortFlags{Learning: true, Flood: true, McastFlood: true, BcastFlood: true, RAGuard: true, NDGuard: true, StormLimit: defaultStormLimit}

// portFlags reads the settings of a port, or of a network's ports.
func (b *builder) portFlags(x *section, absent PortFlags) PortFlags {
	return PortFlags{
		Learning:   x.boolean("learning", absent.Learning),
		Flood:      x.boolean("flood", absent.Flood),
		McastFlood: x.boolean("mcast_flood", absent.McastFlood),
		BcastFlood: x.boolean("bcast_flood", absent.BcastFlood),
		Isolated:   x.boolean("isolated", absent.Isolated),
		RAGuard:    x.boolean("ra_guard", absent.RAGuard),
		NDGuard:    x.boolean("nd_guard", absent.NDGuard),
		DHCPGuard:  x.boolean("dhcp_guard", absent.DHCPGuard),
		StormLimit: x.number("storm_limit", 0, maxStormLimit, absent.StormLimit),
	}
}

// Groups that a network's group_fwd_mask can name: not spanning tree, pause and link aggregation (BR_GROUPFWD_RESTRICTED in
// the kernel's net/bridge/br_private.h).
const maxGroups, ownGroups = 0xffff, 1<<0 | 1<<1 | 1<<2

// groups reads a group_fwd_mask, in either notation.
func groups(x *section) int {
	const key = "group_fwd_mask"
	if text, ok := x.get(key).(string); ok {
		n, err := strconv.ParseUint(text, 0, 16)
		if err != nil {
			x.bad(key, "%q: want a mask from 0 to 0xffff", clip(text, 40))
			return 0
		}
		return checkedGroups(x, key, int(n))
	}
	return checkedGroups(x, key, x.number(key, 0, maxGroups, 0))
}

func checkedGroups(x *section, key string, mask int) int {
	if mask&ownGroups == 0 {
		return mask
	}
	x.bad(key, "%#x: bits 0 to 2 (spanning tree, pause, link aggregation) cannot be set", mask)
	return 0
}
