//go:build linux

package main

import (
	"net/netip"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// The cables: interfaces with offload pass frames of up to 64 KiB and what is left to do to them, plain interfaces frames as they
// are on the wire.
const (
	offloadCable = "bare cable"
	plainCable   = "bare cable, no offload"
	ovsTSO       = "Open vSwitch, userspace, TSO"
	kernelBridge = "kernel bridge"
)

// betweenTwo is layer 2: two hosts on one switch.
func betweenTwo() chapter {
	return chapter{
		title: "Between two namespaces",
		subjects: []subject{
			{name: offloadCable, up: func(p *pair) error { return cable(p, true) }},
			{name: "uswitch", up: func(p *pair) error { return switchLab(p, p.uswitch) }},
			{name: ovsTSO, needs: []string{"ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl"}, up: openVSwitch},
			{name: kernelBridge, up: linuxBridge},
			{name: plainCable, up: func(p *pair) error { return cable(p, false) }},
			{name: "uswitch, no offload", up: func(p *pair) error { return switchLab(p, p.uswitch, "--offload=off") }},
			{name: "vde_switch", needs: []string{"vde_switch", "vde_plug2tap"}, slow: true, up: vde},
		},
		cells: []cell{
			{"TCP, 1 stream", "Gbit/s", true, stream((*pair).forth)},
			{"TCP, 4 streams", "Gbit/s", false, stream((*pair).forth, "-P", "4")},
			{"TCP, both ways", "Gbit/s", false, stream((*pair).forth, "--bidir")},
			{"UDP, 64-byte frames", "kpps", true, datagrams(18)}, // with all headers and the check sequence of a wire
			{"UDP, 1,400 bytes", "kpps", false, datagrams(1400)},
			{"round trip, median", "us", true, roundTrip("50.000")},
			{"round trip, 99 %", "us", false, roundTrip("99.000")},
		},
		goals: []goal{
			{cell: "TCP, 1 stream", subject: "uswitch", beside: []string{offloadCable}, atLeast: 0.97},
			{cell: "TCP, 4 streams", subject: "uswitch", beside: []string{offloadCable}, atLeast: 0.97},
			{cell: "TCP, 1 stream", subject: "uswitch", beside: []string{ovsTSO}, atLeast: 1},
			{cell: "TCP, 4 streams", subject: "uswitch", beside: []string{ovsTSO}, atLeast: 1},
			{cell: "TCP, 1 stream", subject: "uswitch", beside: []string{kernelBridge}, atLeast: 0.65},
			{cell: "TCP, 4 streams", subject: "uswitch", beside: []string{kernelBridge}, atLeast: 0.65},
			{cell: "TCP, both ways", subject: "uswitch", beside: []string{offloadCable}, atLeast: 0.97},
			{cell: "round trip, median", subject: "uswitch", beside: []string{offloadCable}, atMost: 1.08},
			{cell: "UDP, 64-byte frames", subject: "uswitch, no offload", beside: []string{plainCable}, atLeast: 0.95},
		},
	}
}

// compiledIn is what a tracer costs to which nobody listens: uswitch with it and without.
func compiledIn() chapter {
	const without = "uswitch, no tracer"
	return chapter{
		title:  "The tracer, compiled in",
		rounds: 20,
		subjects: []subject{
			{name: "uswitch", up: func(p *pair) error { return switchLab(p, p.uswitch) }},
			{name: without, up: func(p *pair) error { return switchLab(p, p.untraced) }},
		},
		cells: []cell{
			{"TCP, 1 stream", "Gbit/s", true, stream((*pair).forth)},
			{"UDP, 64-byte frames", "kpps", true, datagrams(18)},
		},
		goals: []goal{
			{cell: "TCP, 1 stream", subject: "uswitch", beside: []string{without}, atLeast: 0.99},
			{cell: "UDP, 64-byte frames", subject: "uswitch", beside: []string{without}, atLeast: 0.99},
		},
	}
}

var (
	addrA = netip.MustParsePrefix("10.99.0.2/24")
	addrB = netip.MustParsePrefix("10.99.0.3/24")
	macA  = frame.MACFromIPv4(addrA.Addr())
	macB  = frame.MACFromIPv4(addrB.Addr())
)

// nic puts a TAP into a namespace.
func nic(p *pair, ns tap.Namespace, addr netip.Prefix, mac frame.MAC, offload bool) (tap.Device, error) {
	return p.host.Open(ns, tap.Interface{Name: "eth0", MAC: mac, Addresses: []netip.Prefix{addr}, DisableIPv6: true, Offload: offload})
}
