package test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// NICs and namespaces that somebody changes, or takes away, while the lab is up.
//
//	F53 S8  TestF53NamespaceDeleted
//	F54     TestF54NICDeleted
//	F55     TestF55NICDownAndUp
//	F56     TestF56NICChanged      name, MAC, MTU, addresses, namespace
//	F57     TestF57NICInUse        another lab's interface, and one that somebody else has made
//	F58     TestF58CommandKilled    a host's command dies; the host stays
//	F63     TestF63ManyComeAndGo    120 hosts; half of them taken away at once, under a flood

// goneWithoutATrace takes GREEN away and looks at what is left of it: nothing, and the others do not notice.
func goneWithoutATrace(t *testing.T, take func(l *lab)) {
	needs(t, "mausezahn", "tcpdump")
	l := startLab(t, threeHosts)
	probe := l.probe("RED", blueIP)
	blue := l.sniff("BLUE")
	if !l.pings("GREEN", gatewayIP) {
		t.Fatal("GREEN does not reach the gateway")
	}
	before := l.descriptors()
	take(l)
	l.stderr.find(t, 0, "report of the loss", containing(l.ns("GREEN")+": unplugged: "))
	eventually(t, "the port is gone", func() bool { return l.port("GREEN") == port{} })
	if port := l.behind(greenMAC); port != "" {
		t.Errorf("its station is still known, behind %s", port)
	}
	frame := octets(greenMAC, redMAC, experiment, marker(1))
	l.send("RED", greenMAC, redMAC, experiment, marker(1))
	blue.await("frame to the one who is gone: it is flooded", frame)
	l.event("flood", func(e event) bool {
		return e.DstMAC == greenMAC && e.Verdict == "flood" && strings.Contains(e.Text, "nobody has told us")
	})
	eventually(t, "its files are closed", func() bool { return l.descriptors() < before })
	ticks := l.ticks()
	probe.lostNothing() // takes more than half a second: one that spins would use fifty ticks
	if used := l.ticks() - ticks; used > 30 {
		t.Errorf("the lab has used %d ticks while little happened", used)
	}
}

func TestF53NamespaceDeleted(t *testing.T) {
	t.Parallel()
	goneWithoutATrace(t, func(l *lab) { must(t, "ip", "netns", "del", l.ns("GREEN")) })
}

func TestF54NICDeleted(t *testing.T) {
	t.Parallel()
	goneWithoutATrace(t, func(l *lab) { must(t, "ip", "-n", l.ns("GREEN"), "link", "del", "eth0") })
}

// ticks returns how long the lab has computed so far, in hundredths of a second.
func (l *lab) ticks() (n int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.cmd.Process.Pid))
	_, fields, _ := strings.Cut(string(text), ") ")
	user, system := 0, 0
	if all := strings.Fields(fields); len(all) > 12 {
		fmt.Sscan(all[11], &user)
		fmt.Sscan(all[12], &system)
	}
	return user + system
}

func TestF55NICDownAndUp(t *testing.T) {
	needs(t, "mausezahn")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("RED", blueIP)
	if !l.pings("GREEN", blueIP) {
		t.Fatal("GREEN does not reach BLUE")
	}
	must(t, "ip", "-n", l.ns("GREEN"), "link", "set", "eth0", "down")
	l.stderr.find(t, 0, "report", containing(l.ns("GREEN"), "is down"))
	l.send("RED", greenMAC, redMAC, experiment, marker(1))
	if e := l.drop("GREEN", "port-down"); !strings.Contains(e.Text, "ip link set eth0 up") {
		t.Errorf("the drop does not say what helps: %s", e.Text)
	}
	if port := l.behind(greenMAC); port != "" {
		t.Errorf("its station is behind %q; entries go with the carrier", port)
	}
	must(t, "ip", "-n", l.ns("GREEN"), "link", "set", "eth0", "up")
	l.stderr.find(t, 0, "report", containing(l.ns("GREEN"), "is up again"))
	if !l.pings("GREEN", blueIP) || !l.pings("RED", greenIP) {
		t.Error("GREEN does not reach BLUE, or RED not GREEN, after it came up again")
	}
	probe.lostNothing()
}

func TestF56NICChanged(t *testing.T) {
	needs(t, "mausezahn", "tcpdump", "socat")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("RED", blueIP)
	green := l.ns("GREEN")
	ip := func(line string) {
		t.Helper()
		must(t, append([]string{"ip", "-n"}, strings.Fields(l.own(line))...)...)
	}
	told := func(words ...string) {
		t.Helper()
		l.stderr.find(t, 0, "report of "+strings.Join(words, ", "), containing(append(words, green)...))
	}
	reached := func(when string) {
		t.Helper()
		if !l.pings("BLUE", greenIP) {
			t.Errorf("BLUE does not reach GREEN %s", when)
		}
	}

	ip("GREEN@ link set eth0 mtu 1000")
	told("MTU of 1000")
	l.send("RED", everyone, redMAC, experiment, strings.Repeat("00", 1001))
	l.drop("GREEN", "pkt-too-big")
	ip("GREEN@ link set eth0 mtu 1500")
	told("MTU of 1500")

	ip("GREEN@ link set eth0 address 02:00:00:00:00:44")
	told("02:00:00:00:00:44")
	ip("BLUE@ neigh flush dev eth0")
	reached("under its new MAC address")
	if port := l.behind("02:00:00:00:00:44"); port != "GREEN" {
		t.Errorf("the new MAC address is behind %q", port)
	}

	ip("GREEN@ link set eth0 down")
	ip("GREEN@ link set eth0 name lan7")
	ip("GREEN@ link set lan7 up")
	told("is now called lan7")
	reached("under its new name")

	ip("GREEN@ addr flush dev lan7")
	ip("GREEN@ addr add 11.11.11.44/24 dev lan7")
	if !l.pings("BLUE", "11.11.11.44") {
		t.Error("BLUE does not reach GREEN's new address")
	}

	ip("GREEN@ link set lan7 netns BLUE@ name eth9")
	told("has moved to the namespace")
	ip("BLUE@ link set eth9 up")
	l.exec("BLUE", "mausezahn", "eth9", "-q", "-c", "1", "ff:ff:ff:ff:ff:ff:02:00:00:00:00:44:88:b5:01:02")
	l.event("frame of the interface that has moved", func(e event) bool {
		return e.Hook == "ingress" && e.Port == "GREEN" && e.EtherType == "0x88b5" && e.Length == 16
	})
	probe.lostNothing()
}

func TestF57NICInUse(t *testing.T) {
	needs(t)
	t.Parallel()
	first := startLab(t, threeHosts)
	probe := first.probe("RED", blueIP)
	second := newLab(t, `
name: lab@
networks: {br0: {}}
services:
  OTHER@: {networks: [br0]}
  SAME@: {networks: [br0], x-uswitch: {netns: `+first.ns("GREEN")+`}}
x-uswitch: {uplink: none}
`)
	_, text, status := second.try("run", second.file)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	owner := fmt.Sprintf("process %d", first.cmd.Process.Pid)
	contains(t, text, second.ns("SAME"), "eth0 in namespace "+first.ns("GREEN"), "owned by "+owner)

	same := newLab(t, strings.Replace(threeHosts, "BLUE@", first.ns("BLUE"), 1))
	_, text, status = same.try("run", same.file)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	contains(t, text, "namespace "+first.ns("BLUE"), "lab "+first.name, owner)

	foreign := newLab(t, threeHosts)
	must(t, "ip", "netns", "add", foreign.ns("BLUE"))
	defer must(t, "ip", "netns", "del", foreign.ns("BLUE"))
	must(t, "ip", "-n", foreign.ns("BLUE"), "tuntap", "add", "mode", "tap", "name", "eth0")
	_, text, status = foreign.try("run", "--adopt", foreign.file)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	contains(t, text, foreign.ns("BLUE"), "eth0")
	if text := must(t, "ip", "-n", foreign.ns("BLUE"), "link", "show", "eth0"); !strings.Contains(text, "eth0") {
		t.Errorf("the interface that was there before is gone: %s", text)
	}
	if !first.pings("GREEN", blueIP) {
		t.Error("GREEN of the first lab does not reach BLUE any more")
	}
	probe.lostNothing()
}

func TestF58CommandKilled(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, strings.Replace(threeHosts, "GREEN@: {", "GREEN@: {command: sleep 1000, ", 1))
	probe := l.probe("RED", blueIP)
	var pid int
	eventually(t, "GREEN's command runs", func() bool {
		pid = l.host("GREEN").PID
		return pid != 0
	})
	must(t, "kill", "-KILL", fmt.Sprint(pid))
	eventually(t, "its end is known", func() bool { h := l.host("GREEN"); return h.State == "ended" && h.Status == 137 })
	l.stderr.find(t, 0, "report", containing(l.ns("GREEN"), "137"))
	if !l.pings("RED", greenIP) {
		t.Error("RED does not reach GREEN any more")
	}
	probe.lostNothing()
}

// host is a row of the hosts' table.
type host struct {
	Name, State string
	PID, Status int
}

func (l *lab) host(name string) host {
	l.t.Helper()
	var rows []host
	l.get("hosts", &rows)
	for _, row := range rows {
		if row.Name == name {
			return row
		}
	}
	return host{}
}

func TestF63ManyComeAndGo(t *testing.T) {
	needs(t, "mausezahn")
	t.Parallel()
	const hosts = 120
	var file strings.Builder
	file.WriteString("name: lab@\nnetworks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}\nx-uswitch: {uplink: none}\nservices:\n")
	for i := range hosts {
		fmt.Fprintf(&file, "  H%d@: {networks: [br0]}\n", i)
	}
	l := newLab(t, file.String())
	l.up("--trace", "off")
	probe := l.probe("H0", "11.11.11.3") // H1
	storm := begin(t, l.in("H2", "mausezahn", "eth0", "-q", "-c", "0", "-d", "1msec", "-b", "bcast", "-t", "udp", "dp=9")...)
	var all sync.WaitGroup
	for i := hosts / 2; i < hosts; i++ {
		all.Go(func() { _, _ = output(t, "ip", "netns", "del", l.ns(fmt.Sprint("H", i))) })
	}
	all.Wait()
	var ports []port
	eventually(t, "sixty ports and the gateway are left", func() bool {
		l.get("ports", &ports)
		return len(ports) == hosts/2+1
	})
	storm.kill()
	probe.lostNothing()
}
