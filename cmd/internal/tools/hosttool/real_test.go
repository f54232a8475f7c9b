package hosttool_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
)

// The commands of the tutorials' host beside the real programs, on a lab and on its twin. What may differ is what differs
// between two machines that were built the same way: counters, times, and the numbers of interfaces in other namespaces.

// measured are those differences, and what stands in their place.
var measured = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`@if\d+`), "@ifN"},
	{regexp.MustCompile(`"link_index":( ?)\d+`), `"link_index":${1}N`},
	{regexp.MustCompile(`link-netns [^\s\\]+|link-netnsid \d+`), "link-netnsid N"}, // the twin's namespaces have names, Docker's have not
	{regexp.MustCompile(`"(bytes|packets|dropped|multicast|used|updated)":( ?)\d+`), `"$1":${2}N`},
	{regexp.MustCompile(`packets \d+  bytes \d+ \(.*?\)`), "packets N  bytes N (N)"},
	{regexp.MustCompile(`dropped \d+`), "dropped N"},
	{regexp.MustCompile(`( +\d+){6} `), " N N N N N N "}, // ip -s
	{regexp.MustCompile(`used \d+/\d+`), "used N/N"},
	{regexp.MustCompile(`(?m) +\d+\.\d\d$`), " N.NN"}, // brctl's ages
	{regexp.MustCompile(`REACHABLE|STALE|DELAY|PROBE`), "STATE"},
}

func same(command, text string) string {
	for _, m := range measured {
		text = m.what.ReplaceAllString(text, m.with)
	}
	if strings.HasPrefix(command, "ip neigh") || strings.HasPrefix(command, "arp") || command == "bridge fdb show br br0" { // the kernel has them in no order
		rows := strings.SplitAfter(text, "\n")
		slices.Sort(rows)
		text = strings.Join(rows, "")
	}
	return text
}

// compare runs the same words in both places. Programs share them: "ip link" is `ip link` and `uswitch ip link`.
func (w *twin) compare(commands ...string) {
	w.t.Helper()
	for _, command := range commands {
		real, ours := w.real(command), w.lab.tool(command)
		real.out, ours.out = same(command, real.out), same(command, ours.out)
		if real.out != ours.out || real.status != ours.status || real.errs != ours.errs {
			w.t.Errorf("%s: %s\nthe real program: status %d, %q\n%s\nuswitch: status %d, %q\n%s", command, differ(real.out, ours.out),
				real.status, real.errs, real.out, ours.status, ours.errs, ours.out)
		}
	}
}

// differ shows the first lines that are not the same.
func differ(real, ours string) string {
	a, b := strings.Split(real, "\n"), strings.Split(ours, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is\n\t%q and here\n\t%q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, and here %d", len(a), len(b))
}

func TestAsTheRealOnes(t *testing.T) {
	needs(t, "bridge", "brctl", "ifconfig", "route", "arp")
	t.Parallel()
	l := start(t, redAndBlue)
	w := newTwin(t, l)
	for _, to := range []string{"11.11.11.3", "11.11.11.1"} {
		w.inHosts("RED", "ping", "-n", "-c", "1", "-W", "5", to)
	}
	port := l.veth("RED")
	all := []string{
		"ip link", "ip l", "ip -s link", "ip -o link", "ip -o -s link", "ip -br link", "ip -j link", "ip -j -s link", "ip -j -p -s link", "ip -j -br link",
		"ip link show br0", "ip link show dev " + port, "ip link ls master br0", "ip -j link show master br0", "ip link list type bridge",
		"ip link show type veth up", "ip link show master " + port,
		"ip addr", "ip a", "ip a s br0", "ip -s addr", "ip -o addr", "ip -br a", "ip -4 a", "ip -4 -br a", "ip -j addr", "ip -j -p addr", "ip -j -br addr",
		"ip -j -s addr show br0", "ip -4 addr show " + port, "ip -j -4 addr show " + port,
		"ip route", "ip r", "ip -j route", "ip -j -p route", "ip route show dev br0", "ip -j route show dev br0", "ip route show 9.9.9.9", "ip -j -p route show 9.9.9.9",
		"ip route list table main", "ip route show default",
		"ip neigh", "ip n", "ip -j neigh", "ip -br neigh", "ip neigh show dev br0", "ip -j neigh show dev br0", "ip neigh show 11.11.11.2", "ip neigh show nud failed",
		"bridge link", "bridge -d link", "bridge -j link", "bridge -j -p link", "bridge -j -d link show dev " + port, "bridge link show master br0",
		"bridge fdb", "bridge fdb show br br0", "bridge -s fdb", "bridge -j fdb", "bridge -j -s fdb", "bridge -j -p fdb", "bridge fdb show dev " + port,
		"bridge -j fdb show dev " + port, "bridge fdb show dynamic", "bridge fdb show brport " + port + " dynamic", "bridge fdb show state static",
		"brctl show", "brctl show br0", "brctl showmacs br0",
		"ip route get 11.11.11.3", "ip route get 11.11.11.1", "ip route get 11.11.11.255", "ip route get 127.0.0.1", "ip route get 0.0.0.0",
		"ip -j route get 11.11.11.3", "ip -j -p route get 11.11.11.255", "netstat -rn",
		"route -n", "route", "arp -n", "arp", "arp -a", "arp -an", "arp -n -i br0", "arp -n 11.11.11.2", "ifconfig", "ifconfig br0", "ifconfig -a", "ifconfig " + port,
	}
	w.compare(all...)

	// Mistakes have the real program's words and status.
	w.compare("ip link show nope", "ip addr show dev nope", "ip route show dev nope", "ip neigh show dev nope", "ip link show master nope",
		"ip route get", "ip route get 8.8.8.8", "ip route get 255.255.255.255", "ip link show type", "ip link show br0 extra", "ip route show nonsense", "ip route add 10.9.0.0/16", "ip route add 10.9.0.0/16 via 9.9.9.9",
		"ip route add 10.9.0.1/16 dev br0", "ip route add 300.1.1.1 dev br0", "ip route add 10.9.0.0/16 dev nope", "ip route del 10.66.0.0/16",
		"ip route change 10.3.0.0/16 via 11.11.11.3", "ip neigh flush", "ip neigh add 11.11.11.9 lladdr zz dev br0",
		"ip neigh add 11.11.11.9 lladdr 02:42:0b:0b:0b:09", "ip neigh del 11.11.11.8 dev br0", "bridge fdb show dev nope", "bridge fdb show br nope",
		"bridge link show dev nope", "bridge link set learning on", "bridge link set dev nope learning on", "bridge link set dev "+port+" learning maybe",
		"bridge fdb del 02:42:0b:0b:0b:99 dev "+port+" master", "brctl show nope", "brctl show nope br0", "brctl showmacs nope",
		"ifconfig nope", "arp -n 11.11.11.44", "arp -n -i nope", "arp -a 11.11.11.44")

	// Changes, and what they leave behind.
	w.compare("ip route add 10.9.0.0/16 via 11.11.11.2", "ip route add 10.9.0.0/16 via 11.11.11.2", "ip route add 10.8.0.0/16 dev br0",
		"ip r add 10.7.0.1 dev br0", "ip route add default via 11.11.11.3", "ip route", "ip -j route", "route -n", "ip route show via 11.11.11.2",
		"ip route show default", "ip route show 10.8.0.0/16", "ip route replace 10.9.0.0/16 via 11.11.11.3", "ip route change 10.8.0.0/16 via 11.11.11.3",
		"ip route", "ip route del 10.9.0.0/16 via 11.11.11.2", "ip route del 10.9.0.0/16", "ip route del 10.8.0.0/16", "ip route del default",
		"ip r d 10.7.0.1", "ip route")
	w.compare("ip addr add 11.11.11.1/24 dev br0", "ip addr add 11.11.11.1/24", "ip addr add 11.11.11.1/24 dev nope",
		"ip addr add 300.1.1.1/24 dev br0", "ip addr add dev br0", "ip addr del 11.11.11.9/24 dev br0", "ip addr del 11.11.11.1/24 dev br0",
		"ip -br addr", "ip route", "ip addr del 11.11.11.1/24 dev br0", "ip addr add 11.11.11.1/24 brd + dev br0", "ip addr show br0", "ip route")
	w.compare("ip neigh add 11.11.11.9 lladdr 02:42:0b:0b:0b:09 dev br0", "ip neigh add 11.11.11.9 lladdr 02:42:0b:0b:0b:09 dev br0",
		"ip neigh replace 11.11.11.9 lladdr 02:42:0b:0b:0b:19 dev br0", "ip neigh", "ip neigh show nud permanent", "arp -n", "arp -an",
		"ip neigh del 11.11.11.9 dev br0", "ip neigh flush all", "ip neigh", "arp -n", "arp -an", "ip -j neigh")
	w.compare("bridge link set dev "+port+" learning off isolated on", "bridge -d link", "bridge link set dev "+port+" learning on isolated off",
		"bridge fdb add 02:42:0b:0b:0b:99 dev "+port+" master static", "bridge fdb add 02:42:0b:0b:0b:99 dev "+port+" master static",
		"brctl showmacs br0", "bridge fdb show state static", "bridge fdb del 02:42:0b:0b:0b:99 dev "+port+" master", "bridge fdb",
		"bridge fdb del 02:42:0b:0b:0b:02 dev "+port+" master", "bridge fdb", "bridge fdb del 02:42:0b:0b:0b:02 dev "+port+" master")

	// A flushed table. Where nopermanent is not said and dynamic neither, the real one forgets the devices' own addresses too.
	for _, selected := range []string{"nopermanent", "nopermanent brport " + port, "nopermanent self", "self master nopermanent", "static nopermanent", "nodynamic nopermanent", "dynamic", "nostatic nopermanent",
		"sticky nopermanent", "nosticky nopermanent", "dynamic nosticky", "static nosticky nopermanent", "static dynamic", "dynamic static nopermanent", "added_by_user", "noadded_by_user nopermanent",
		"static added_by_user", "static noadded_by_user nopermanent", "extern_learn", "noextern_learn nopermanent", "offloaded", "nooffloaded nopermanent", "vlan 1", "dev br0 dynamic"} {
		w.inHosts("RED", "ping", "-n", "-c", "1", "-W", "5", "11.11.11.3")
		w.compare("bridge fdb replace 02:42:0b:0b:0b:98 dev "+port+" master static", "bridge fdb replace 02:42:0b:0b:0b:97 dev "+port+" master static sticky",
			"bridge fdb replace 02:42:0b:0b:0b:96 dev "+l.veth("BLUE")+" master static", "bridge fdb flush dev br0 "+selected, "bridge fdb show br br0")
	}
	w.inHosts("RED", "ping", "-n", "-c", "1", "-W", "5", "11.11.11.3")
	w.compare("bridge fdb flush dev "+port+" master nopermanent", "bridge fdb show br br0", "bridge fdb flush dev br0 brport br0 dynamic", "bridge fdb flush",
		"bridge fdb flush dev", "bridge fdb flush brport "+port, "bridge fdb flush dev nope", "bridge fdb flush dev br0 brport nope",
		"bridge fdb flush dev br0 brport "+port+" brport "+port, "bridge fdb flush dev "+port, "bridge fdb flush dev "+port+" self", "bridge fdb flush dev br0 master nopermanent",
		"bridge fdb flush dev "+port+" self master nopermanent", "bridge fdb flush dev br0 vlan 0", "bridge fdb flush dev br0 vlan x", "bridge fdb show br br0")

	// An interface that is down has no carrier; a bridge none of whose ports has one has none itself.
	for _, host := range []string{"RED", "BLUE"} {
		must(t, "ip", "-n", l.ns(host), "link", "set", "eth0", "down")
		must(t, "ip", "-n", w.hosts[host], "link", "set", "eth0", "down")
		eventually(t, "the kernel has seen that "+host+" is down", func() bool {
			return same("", w.real("ip link").out) == same("", l.tool("ip link").out)
		})
		w.compare("ip link", "ip -br addr", "bridge link", "bridge -j link", "brctl show", "ifconfig", "ip route", "ip -j route", "route -n", "ip addr show br0")
	}
}

func TestSSAsTheRealOne(t *testing.T) {
	needs(t, "ss", "socat")
	t.Parallel()
	l := start(t, strings.NewReplacer("uplink: none", "uplink: sim", "11.11.11.3}}", `11.11.11.3}}, ports: ["18080:80", "15353:53/udp"]`).Replace(redAndBlue))
	w := newTwin(t, l)
	must(t, "ip", "-n", w.bridge, "addr", "add", "192.168.104.2/32", "dev", "lo") // where the uplink sim publishes
	for _, socket := range []string{"TCP4-LISTEN:18080,backlog=4096,bind=192.168.104.2", "UDP4-LISTEN:15353,bind=192.168.104.2"} {
		cmd := exec.Command("ip", "netns", "exec", w.bridge, "socat", socket, "/dev/null")
		check(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	eventually(t, "both listen", func() bool {
		return strings.Count(w.real("ss -lntuH").out, "\n") == 2
	})
	w.compare("ss -lntu", "ss -lnt", "ss -lnu", "ss -ltnH", "ss -n -l -t -u -4", "netstat -ntl", "netstat -nul", "netstat -ntul")
}

func TestRefused(t *testing.T) {
	needs(t)
	t.Parallel()
	l := start(t, redAndBlue)
	for command, want := range map[string]string{
		"ip -d link":                               `Option "-d" (-details) is not answered here`,
		"ip -color a":                              `"-color"`,
		"ip -Q link":                               `Option "-Q" is unknown`,
		"ip netns monitor":                         `"ip netns monitor" is not answered here`,
		"ip link add x type vxlan":                 "type vxlan is not answered here; there are bridge and veth",
		"ip link set br0 promisc on":               `"promisc"`,
		"ip link del br0":                          "br0 is a network of the lab's",
		"ip rule":                                  `Object "rule"`,
		"ip addr add 1.2.3.4/8 dev br0":            "br0 has 11.11.11.1/24 already, and the gateway has one address",
		"ip addr add 1.2.3.4/8 dev br0 label x":    `"label"`,
		"ip addr flush dev br0":                    `"ip addr flush" is not answered here`,
		"ip link frobnicate":                       `Command "frobnicate" is unknown`,
		"ip addr show scope global":                `"scope"`,
		"ip route get 224.0.0.1":                   `"ip route get 224.0.0.1" is not answered here`,
		"ip route get 11.11.11.2 dev br0":          `"get ADDRESS via|dev"`,
		"netstat -l":                               "want -n",
		"netstat -n":                               "want -l",
		"ip route add blackhole 10.0.0.0":          `"blackhole"`,
		"ip route show table local":                `"local"`,
		"ip -s neigh":                              `"-s"`,
		"ip neigh show proxy":                      `"proxy"`,
		"ip":                                       "not complete",
		"bridge vlan":                              `Object "vlan"`,
		"bridge -c link":                           `"-c"`,
		"bridge link show br0":                     `"br0"`,
		"bridge fdb show static":                   `"static"`,
		"bridge fdb add 02:42:0b:0b:0b:99 dev br0": "master static",
		"bridge fdb flush dev br0 permanent":       `"permanent"`,
		"bridge fdb flush dev br0 dyn":             `"dyn"`,
		"bridge link set dev br0 priority 3":       `"priority"`,
		"brctl showstp br0":                        "showstp is not answered here",
		"brctl stp br0 on":                         "brctl stp is not answered here",
		"brctl frobnicate":                         "never heard of command [frobnicate]",
		"route add default gw 1.2.3.4":             "route add is not answered here",
		"route -e":                                 "option -e",
		"arp -d 11.11.11.2":                        "option -d",
		"ifconfig br0 down":                        "br0 down",
		"ifconfig -s":                              "`-s'",
		"ss":                                       "want -l",
		"ss -lt":                                   "want -n",
		"ss -lnp":                                  "option -p",
		"ss -lnt sport = :80":                      `"sport"`,
	} {
		a := l.tool(command)
		if a.status == 0 || a.out != "" || strings.Count(a.errs, "\n") != 1 || !strings.Contains(a.errs, want) {
			t.Errorf("%s: %+v; want %q", command, a, want)
		}
	}
}

// veth returns the name of the near end of a host's cable.
func (l *testLab) veth(host string) string {
	l.t.Helper()
	var devices []api.Device
	check(l.t, l.client.Get(l.t.Context(), "/v1/devices", nil, &devices))
	for _, d := range devices {
		if d.Host == l.ns(host) {
			return d.Name
		}
	}
	l.t.Fatalf("%s has no cable", host)
	return ""
}
