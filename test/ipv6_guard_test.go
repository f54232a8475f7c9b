package test

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uswitch/switch/frame"
)

// advertised is twoFamilies with a gateway that tells hosts what they configure themselves with.
var advertised = strings.Replace(twoFamilies, `{subnet: "fd00:1::/64"}]}}`, `{subnet: "fd00:1::/64"}]}, x-uswitch: {ra: on}}`, 1)

// pretender is the radvd of a host that would be everyone's router.
const pretender = `interface eth0 {
  AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultPreference high;
  prefix 2001:db8:bad::/64 { AdvOnLink on; AdvAutonomous on; };
};
`

// send6 puts an IPv6 packet onto a host's wire.
func (l *lab) send6(host, src string, packet []byte, tags ...string) {
	l.t.Helper()
	l.send(host, frame.GroupMAC(frame.AllNodes).String(), src, strings.Join(tags, ""), "86dd", hex.EncodeToString(packet))
}

// TestIPv6Guards is V2: what a host says of itself as a router, of others' addresses, or as a DHCP server stays behind its port, and
// hosts of the kernel's believe none of it; and with the guard off radvd in a host configures others.
func TestIPv6Guards(t *testing.T) {
	needs(t, "ip", "radvd", "rdisc6", "ndisc6", "mausezahn", "sysctl")
	t.Parallel()
	l := startLab(t, advertised)
	addresses := func() string { return l.exec("RED", "ip", "-6", "addr", "show", "eth0") }
	eventually(t, "RED has an address made of its MAC address", func() bool { return strings.Contains(addresses(), "fd00:1::42:bff:fe0b:b02/64") })

	dir := t.TempDir()
	conf := filepath.Join(dir, "radvd.conf")
	if err := os.WriteFile(conf, []byte(pretender), 0o644); err != nil {
		t.Fatal(err)
	}
	l.exec("PINK", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	begin(t, l.in("PINK", "radvd", "-n", "-C", conf, "-p", filepath.Join(dir, "radvd.pid"), "-m", "stderr", "-u", "root")...)
	l.drop("PINK", "ra-guard")
	contains(t, l.exec("RED", "rdisc6", "-1", "eth0"), "fd00:1::/64", "from fe80::42:bff:fe0b:b01")
	if six := addresses(); strings.Contains(six, "2001:db8:bad:") {
		t.Errorf("RED believes PINK:\n%s", six)
	}
	contains(t, l.do("drops"), "ra-guard", "ra_guard=off")

	// These frames are made by hand: behind a priority tag, which the kernel takes off, and in the name of RED's address.
	pink, evil := strings.TrimSpace(l.exec("PINK", "cat", "/sys/class/net/eth0/address")), netip.MustParseAddr("fe80::bad")
	var mac frame.MAC
	copy(mac[:], octets(pink))
	l.set("port", l.ns("PINK"), "dhcp_guard=on")
	l.send6("PINK", pink, frame.AppendRouterAdvert(nil, frame.RouterAdvert{Lifetime: 1}, evil, frame.AllNodes, mac), "8100 0000")
	l.event("drop behind a tag", func(e event) bool { return e.Reason == "ra-guard" && e.EtherType == "0x8100" })
	l.send6("PINK", pink, frame.AppendNeighborAdvert(nil, frame.NeighborAdvert{Src: evil, Dst: frame.AllNodes,
		Target: netip.MustParseAddr("fd00:1::2"), MAC: mac, Override: true}))
	contains(t, l.drop("PINK", "nd-guard").Text, "nd_guard=off")
	offer := make([]byte, 28)
	frame.PutUDP(offer, 67, 68)
	l.send("PINK", everyone, pink, "0800", hexOf(packet(17, "11.11.11.9", "255.255.255.255", offer, nil)))
	contains(t, l.drop("PINK", "dhcp-guard").Text, "dhcp_guard=off")

	contains(t, l.exec("RED", "ndisc6", "-1", "fd00:1::77", "eth0"), strings.ToUpper(pink))
	l.set("port", l.ns("PINK"), "ra_guard=off")
	contains(t, l.do("show", "ports"), "ra_guard=off dhcp_guard=on")
	eventually(t, "RED has an address of what PINK says", func() bool { return strings.Contains(addresses(), "2001:db8:bad:0:42:bff:fe0b:b02/64") })
	contains(t, l.exec("RED", "ip", "-6", "route"), "default", "proto ra")
}

// TestIPv4AloneStaysClean is V5 (CVE-2024-32473): where a network has no IPv6 no frame of it is on any wire, no host has an address of
// it, and who asks for a router hears nothing.
func TestIPv4AloneStaysClean(t *testing.T) {
	needs(t, "ip", "ping", "mausezahn", "tcpdump", "socat")
	t.Parallel()
	l := startLab(t, threeHosts)
	six := map[string]*sniffer{"RED": l.sniff("RED"), "BLUE": l.sniff("BLUE")}
	for _, host := range []string{"RED", "BLUE", "GREEN"} {
		if out := l.exec(host, "ip", "-6", "addr", "show", "eth0"); out != "" {
			t.Errorf("%s has %s", host, out)
		}
	}
	l.exec("GREEN", "ip", "link", "set", "eth0", "down")
	l.exec("GREEN", "ip", "link", "set", "eth0", "up")
	for _, to := range []string{blueIP, greenIP, gatewayIP} {
		if !l.pings("RED", to) {
			t.Errorf("RED does not reach %s", to)
		}
	}
	solicit := make([]byte, 48)
	solicit[40] = frame.ICMPv6RouterSolicit
	p := frame.IP(frame.PutIPv6(solicit, frame.ProtoICMPv6, 255, netip.IPv6Unspecified(), frame.AllRouters))
	p.SetICMPChecksum()
	l.send("GREEN", frame.GroupMAC(frame.AllRouters).String(), greenMAC, "86dd", hexOf(p))
	l.event("drop of what asks for a router", func(e event) bool { return e.Reason == "no-ipv6" })
	l.send("GREEN", everyone, greenMAC, experiment, marker(6))
	for host, s := range six {
		s.await("marker", octets(everyone, greenMAC, experiment, marker(6)))
		for _, f := range s.seen() {
			if e := frame.Ethernet(f); e.Type() == frame.TypeIPv6 && e.Src().String() != greenMAC {
				t.Errorf("%s has got % x", host, f)
			}
		}
	}
}
