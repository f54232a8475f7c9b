package test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

func TestLookInside(t *testing.T) {
	t.Parallel()
	needs(t, "ip", "curl")
	l := newLab(t, resting)
	l.up()
	contains(t, l.do("exec", l.ns("RED"), "--", "ip", "addr", "show", "eth0"), "inet 11.11.11.2/24", "link/ether 02:42:0b:0b:0b:02", "mtu 1500")
	contains(t, l.do("exec", l.ns("RED"), "--", "ip", "route"), "default via 11.11.11.1 dev eth0")
	contains(t, l.do("exec", l.ns("RED"), "--", "uswitch", "ping", "-c", "1", "11.11.11.3"), "64 bytes from 11.11.11.3", "0% packet loss")
	if _, _, status := l.try("exec", l.ns("RED"), "--", "sh", "-c", "exit 42"); status != 42 {
		t.Errorf("exec: status %d, want 42", status)
	}
	if out, err := exec.Command("ip", "netns", "exec", l.ns("RED"), "cat", "/sys/class/net/eth0/address").CombinedOutput(); err != nil ||
		string(out) != "02:42:0b:0b:0b:02\n" {
		t.Errorf("ip netns exec: %s %v", out, err)
	}

	contains(t, l.do("show", "hosts"), l.ns("RED"), "11.11.11.3/24")
	contains(t, l.do("show", "ports"), l.ns("BLUE"), "gateway")
	contains(t, l.do("show", "networks"), "br0", "masqueraded")
	contains(t, l.do("show", "fdb"), "02:42:0b:0b:0b:03 dev "+l.ns("BLUE")+" master br0\n", "02:42:0b:0b:0b:01 dev br0 master br0 permanent\n")
	l.do("exec", l.ns("RED"), "--", "uswitch", "ping", "-c", "1", "8.8.8.8")
	contains(t, l.do("show", "neigh"), "11.11.11.2 dev br0 lladdr 02:42:0b:0b:0b:02 ")
	contains(t, l.do("show", "routes"), "default via 192.168.104.1 dev uplink", "11.11.11.0/24 dev br0 proto kernel scope link src 11.11.11.1")
	contains(t, l.do("conntrack", "-L"), "src=11.11.11.2 dst=8.8.8.8 type=8 code=0 id=", "src=8.8.8.8 dst=192.168.104.2 type=0")
	contains(t, l.do("iptables", "-t", "nat", "-S"), "-A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE")

	var fdb []map[string]any
	curl, err := exec.Command("curl", "-s", "--unix-socket", "/run/uswitch/"+l.name+".sock", "http://uswitch/v1/fdb").Output()
	if err != nil || json.Unmarshal(curl, &fdb) != nil || len(fdb) == 0 {
		t.Fatalf("curl: %v\n%s", err, curl)
	}
	for _, key := range []string{"mac", "ifname", "master", "flags", "state"} {
		if _, ok := fdb[0][key]; !ok {
			t.Errorf("/v1/fdb has no key %s: %s", key, curl)
		}
	}
}

func TestChangeWhileItRuns(t *testing.T) {
	t.Parallel()
	needs(t)
	l := newLab(t, resting)
	l.up("--trace", "off")
	ping := func(want int, where string) {
		t.Helper()
		if out, _, status := l.try("exec", l.ns("RED"), "--", "uswitch", "ping", "-c", "1", "-W", "0.5", where); status != want {
			t.Errorf("ping %s: status %d, want %d\n%s", where, status, want, out)
		}
	}
	ping(0, "8.8.8.8")
	l.do("set", "gateway", "ip_forward=0")
	ping(1, "8.8.8.8")
	contains(t, l.do("show", "drops"), "ip-forward-off")
	l.do("set", "gateway", "ip_forward=1")
	ping(0, "8.8.8.8")
	l.do("iptables", "-I", "FORWARD", "-p", "icmp", "-j", "DROP")
	ping(1, "8.8.8.8")
	rules := l.do("iptables-save")
	l.do("iptables", "-D", "FORWARD", "1")
	ping(0, "8.8.8.8")
	contains(t, rules, "-A FORWARD -p icmp -j DROP\n")

	ping(0, "11.11.11.3")
	for _, host := range []string{l.ns("RED"), l.ns("BLUE")} {
		l.do("set", "port", host, "isolated=on")
	}
	ping(1, "11.11.11.3")
	l.do("set", "port", l.ns("BLUE"), "isolated=off")
	ping(0, "11.11.11.3")
	l.do("set", "fdb", "02:42:0b:0b:0b:99", "port="+l.ns("BLUE"))
	contains(t, l.do("show", "fdb"), "02:42:0b:0b:0b:99 dev "+l.ns("BLUE")+" master br0 static\n")

	for _, wrong := range [][]string{{"set", "port", "NOBODY", "flood=on"}, {"set", "gateway", "ip_forward=maybe"},
		{"iptables", "-A", "NOCHAIN", "-j", "ACCEPT"}, {"show", "fdb", "--lab", "no-such-lab"}, {"exec", "NOBODY", "true"}} {
		if _, errs, status := l.try(wrong...); status == 0 || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: status %d, %q", wrong, status, errs)
		}
	}
}

func TestUnplugged(t *testing.T) {
	t.Parallel()
	needs(t, "ip")
	l := newLab(t, resting)
	l.up("--trace", "off")
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v %s", args, err, out)
		}
	}
	ip("-n", l.ns("RED"), "link", "set", "eth0", "mtu", "1400")
	eventually(t, "the new MTU is told", func() bool { return strings.Contains(l.stderr.String(), l.ns("RED")+": eth0 has an MTU of 1400 now") })
	ip("netns", "del", l.ns("RED"))
	eventually(t, "the loss is told", func() bool { return strings.Contains(l.stderr.String(), l.ns("RED")+": unplugged: ") })
	if ports := l.do("show", "ports"); strings.Contains(ports, l.ns("RED")) {
		t.Errorf("the port is still there:\n%s", ports)
	}
	contains(t, l.do("show", "hosts"), "br0 (unplugged)")
	contains(t, l.do("exec", l.ns("BLUE"), "--", "uswitch", "ping", "-c", "1", "8.8.8.8"), " 0% packet loss")
	l.do("stop")
	if n := strings.Count(l.stderr.String(), "unplugged"); n != 1 {
		t.Errorf("told %d times:\n%s", n, l.stderr.String())
	}
}
