package test

import (
	"slices"
	"strings"
	"testing"
)

// Too much of something, from one port, while others talk.
//
//	F11 S7   TestF11MACFlood        20,000 sources: a full table floods, evicts the flooder's own, and costs no memory
//	F12      TestF12MACFlap         two ports that claim one address in turn
//	F13 S14  TestF13Loop            two ports on one bridge: the loop is named and ended, others go on, the control socket answers
//	F14      TestF14BroadcastStorm  as fast as mausezahn can
//	F15      TestF15StalledReader   a program that does not read what it gets, and an interface that is not read

// fourHosts has limits that a test reaches soon.
const fourHosts = `
name: lab@
networks:
  br0:
    ipam: {config: [{subnet: 11.11.11.0/24}]}
    x-uswitch: {storm_limit: 300, fdb_max_learned: 256}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
  GREEN@: {networks: {br0: {ipv4_address: 11.11.11.4}}}
  PINK@: {networks: {br0: {ipv4_address: 11.11.11.5}}}
x-uswitch: {uplink: none}
`

func TestF11MACFlood(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, fourHosts)
	probe := l.probe("GREEN", blueIP)
	l.exec("RED", "mausezahn", "eth0", "-q", "-c", "2000", "-a", "rand", "-b", blueMAC, "-t", "udp", "dp=9")
	files, memory := l.descriptors(), l.memory()
	l.exec("RED", "mausezahn", "eth0", "-q", "-c", "20000", "-a", "rand", "-b", blueMAC, "-t", "udp", "dp=9")
	var rows []station
	l.get("fdb", &rows)
	learned := slices.DeleteFunc(rows, func(s station) bool { return s.State != "" })
	if len(learned) > 256 {
		t.Errorf("%d stations are known, 256 are allowed", len(learned))
	}
	for mac, port := range map[string]string{blueMAC: "BLUE", greenMAC: "GREEN"} {
		if l.behind(mac) != port {
			t.Errorf("%s, which spoke all the time, was forgotten for the flood", port)
		}
	}
	if now := l.memory(); now > memory+64<<10 {
		t.Errorf("memory: %d KiB, before the flood %d", now, memory)
	}
	eventually(t, "no more open files than before the flood", func() bool { return l.descriptors() <= files })
	probe.lostNothing()
}

func TestF12MACFlap(t *testing.T) {
	needs(t, "mausezahn")
	t.Parallel()
	l := startLab(t, fourHosts)
	probe := l.probe("GREEN", blueIP)
	const station = "02:00:00:00:00:33"
	for i := range 6 {
		l.send([]string{"RED", "PINK"}[i%2], gatewayMAC, station, experiment, marker(i))
	}
	l.event("last move", func(e event) bool { return e.Hook == "learn" && strings.Contains(e.Text, "from RED to PINK") })
	eventually(t, "all five moves are told", func() bool {
		return len(l.events(func(e event) bool { return strings.Contains(e.Text, station+" has moved from") })) == 5
	})
	if port := l.behind(station); port != "PINK" {
		t.Errorf("the station lives behind %q; PINK spoke last", port)
	}
	probe.lostNothing()
}

func TestF13Loop(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, strings.ReplaceAll(fourHosts, "storm_limit: 300, ", ""))
	if text, status := output(t, "ip", "-n", l.ns("RED"), "link", "add", "loop", "type", "bridge"); status != 0 {
		skip(t, "the kernel's bridge: "+text)
	}
	probe := l.probe("GREEN", blueIP)
	// RED and PINK become two cables to one bridge, which has nothing against loops.
	for _, line := range []string{
		"-n PINK@ link set eth0 netns RED@ name eth1", "-n RED@ link set eth0 master loop", "-n RED@ link set eth1 master loop",
		"-n RED@ link set eth1 up", "-n RED@ link set loop up",
	} {
		must(t, append([]string{"ip"}, strings.Fields(l.own(line))...)...)
	}
	l.stderr.find(t, 0, "report that PINK's interface has moved", containing(l.ns("PINK"), "has moved to the namespace"))
	// Once GREEN, which pings BLUE all the while, is heard behind both, its frames to a known station would go round for ever;
	// those of the bridge itself are heard behind one port only, and end at the limit.
	l.exec("GREEN", "mausezahn", "eth0", "-q", "-c", "1", "-b", everyone, "-a", greenMAC, "-t", "udp", "dp=9")
	l.event("loop or storm", func(e event) bool {
		return (e.Reason == "loop" || e.Reason == "storm") && (e.Port == "RED" || e.Port == "PINK")
	})
	probe.goesOn()
	if !l.pings("GREEN", gatewayIP) {
		t.Error("GREEN is not heard any more while there is a loop")
	}
	before := l.drops("loop") + l.drops("storm")
	if before == 0 {
		t.Error("the loop is in the trace, but not counted")
	}
	// While ever more goes round, the control socket answers whatever it is asked. The minute is for a lab that hangs.
	storm := begin(t, l.in("GREEN", "mausezahn", "eth0", "-q", "-c", "100000", "-d", "100usec", "-b", everyone, "-a", greenMAC, "-t", "udp", "dp=9")...)
	for range 10 {
		for _, what := range []string{"lab", "hosts", "networks", "ports", "fdb", "neigh", "routes", "drops", "conntrack", "devices", "plan"} {
			must(t, "curl", "-s", "--max-time", "60", "--fail-with-body", "--unix-socket", l.socket(), "http://uswitch/v1/"+what)
		}
		l.set("port", l.ns("BLUE"), "isolated=off")
	}
	eventually(t, "frames go round all the while", func() bool { return l.drops("loop")+l.drops("storm") > before })
	storm.kill()
	must(t, "ip", "-n", l.ns("RED"), "link", "set", "loop", "down")
}

func TestF14BroadcastStorm(t *testing.T) {
	needs(t, "mausezahn")
	t.Parallel()
	l := startLab(t, fourHosts)
	probe := l.probe("GREEN", blueIP)
	for _, dst := range []string{everyone, "01:00:5e:01:02:03", "02:00:00:00:00:99"} {
		var came, dropped uint64
		for try := 0; try < 5 && (came == 0 || dropped < came/2); try++ { // on a busy machine the interface's queue loses most of a storm itself
			before := l.port("RED")
			l.exec("RED", "mausezahn", "eth0", "-q", "-c", "20000", "-b", dst, "-a", redMAC, "-t", "udp", "dp=9")
			probe.goesOn()
			now := l.port("RED")
			came, dropped = now.Received-before.Received, now.RxDropped-before.RxDropped
		}
		if dropped < came/2 {
			t.Errorf("of %d frames to %s %d were dropped, want most", came, dst, dropped)
		}
	}
	if e := l.drop("RED", "storm"); !strings.Contains(e.Text, "limit") {
		t.Errorf("the limit does not name itself: %s", e.Text)
	}
	probe.lostNothing()
	if !l.pings("RED", blueIP) {
		t.Error("RED is not heard any more, after its storm")
	}
}

func TestF15StalledReader(t *testing.T) {
	needs(t, "mausezahn", "socat")
	t.Parallel()
	l := startLab(t, fourHosts)
	probe := l.probe("GREEN", gatewayIP)
	reader := begin(t, l.in("BLUE", "socat", "-u", "UDP-RECV:9", "STDOUT")...)
	eventually(t, "BLUE listens", func() bool { return strings.Contains(l.exec("BLUE", "ss", "-Hlun"), ":9 ") })
	reader.signal(19) // SIGSTOP
	l.exec("RED", "mausezahn", "eth0", "-q", "-c", "20000", "-a", redMAC, "-b", blueMAC, "-A", redIP, "-B", blueIP, "-t", "udp", "dp=9", "-p", "1000")
	probe.goesOn()
	if !l.pings("PINK", blueIP) {
		t.Error("BLUE itself is not reached any more")
	}
	must(t, "ip", "-n", l.ns("BLUE"), "link", "set", "eth0", "down")
	l.exec("RED", "mausezahn", "eth0", "-q", "-c", "2000", "-a", redMAC, "-b", blueMAC, "-A", redIP, "-B", blueIP, "-t", "udp", "dp=9")
	l.drop("BLUE", "port-down")
	for _, host := range []string{"RED", "BLUE", "GREEN", "PINK"} {
		if p := l.port(host); (p.TxDropped > 0) != (host == "BLUE") {
			t.Errorf("port %s has dropped %d on the way out", host, p.TxDropped)
		}
	}
	probe.lostNothing()
}
