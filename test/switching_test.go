package test

import (
	"strings"
	"testing"
)

// What the switch knows, and what follows from it.
//
//	S1 S4     TestS4KnownStation          what is known goes to its port alone
//	S2        TestS2Ageing                a station that is silent too long is asked for everywhere again
//	S6 F12    TestS6StationMoves          the last one who speaks is right; static and sticky entries stand above that
//	S9        TestS9OrderAndNoDuplicates  2,000 datagrams, in order, none twice
//	S16       TestS16NetworksAreApart     no frame, no entry and no ARP passes between networks
//	          TestPortFlags               isolated, flood, bcast_flood, mcast_flood and learning, live
//	F16       TestF16DuplicateMAC         refused before anything is made

func TestS4KnownStation(t *testing.T) {
	needs(t, "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	green := l.sniff("GREEN", "icmp")
	l.exec("RED", "ping", "-n", "-c", "5", "-i", "0.05", blueIP)
	if !l.pings("RED", greenIP) {
		t.Fatal("RED does not reach GREEN")
	}
	eventually(t, "GREEN has seen a ping", func() bool { return len(green.seen()) > 0 })
	if n := len(green.seen()); n != 1 {
		t.Errorf("GREEN saw %d packets, want only the one to itself", n)
	}
	for mac, port := range map[string]string{redMAC: "RED", blueMAC: "BLUE", greenMAC: "GREEN", gatewayMAC: "br0"} {
		if got := l.behind(mac); got != port {
			t.Errorf("%s lives behind %q, want %q", mac, got, port)
		}
	}
}

func TestS2Ageing(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	if !l.pings("RED", blueIP) {
		t.Fatal("RED does not reach BLUE")
	}
	l.set("network", "br0", "ageing_time=1")
	green := l.sniff("GREEN")
	frame := octets(blueMAC, redMAC, experiment, marker(1))
	eventually(t, "a frame to BLUE, which is silent, is flooded", func() bool {
		l.send("RED", blueMAC, redMAC, experiment, marker(1))
		return green.count(frame) > 0
	})
}

func TestS6StationMoves(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("BLUE", gatewayIP)
	red, green := l.sniff("RED"), l.sniff("GREEN")
	const station = "02:00:00:00:00:33"
	l.send("RED", everyone, station, experiment, marker(1))
	if port := l.behind(station); port != "RED" {
		t.Errorf("the station lives behind %q, want RED", port)
	}
	l.send("GREEN", everyone, station, experiment, marker(2))
	move := l.event("move", func(e event) bool {
		return e.Hook == "learn" && strings.Contains(e.Text, "has moved from RED to GREEN")
	})
	if move.Port != "GREEN" {
		t.Errorf("the move is told of port %s, want GREEN", move.Port)
	}
	l.send("BLUE", station, blueMAC, experiment, marker(3))
	green.await("frame to where the station is now", octets(station, blueMAC, experiment, marker(3)))
	if red.count(octets(station, blueMAC, experiment, marker(3))) > 0 {
		t.Error("a frame went to where the station was before")
	}

	l.set("fdb", station, "port="+l.ns("RED"), "sticky=on")
	l.send("GREEN", everyone, station, experiment, marker(4))
	red.await("frame from the second place", octets(everyone, station, experiment, marker(4)))
	if port := l.behind(station); port != "RED" {
		t.Errorf("sticky: the station lives behind %q, want RED", port)
	}
	l.set("fdb", station, "port="+l.ns("RED"))
	l.send("GREEN", everyone, station, experiment, marker(5))
	l.drop("GREEN", "mac-spoof")
	l.set("fdb", station, "port=none")
	if port := l.behind(station); port != "" {
		t.Errorf("forgotten: the station lives behind %q, want nobody to know", port)
	}
	probe.lostNothing()
}

func TestS9OrderAndNoDuplicates(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	if !l.pings("RED", blueIP) {
		t.Fatal("RED does not reach BLUE")
	}
	blue := l.sniff("BLUE")
	l.exec("RED", "mausezahn", "eth0", "-q", "-d", "200usec", "-A", redIP, "-B", blueIP, "-a", redMAC, "-b", blueMAC,
		"-t", "udp", "sp=4000,dp=1-2000")
	end := octets(blueMAC, redMAC, experiment, marker(1))
	eventually(t, "BLUE has got what came last", func() bool {
		l.send("RED", blueMAC, redMAC, experiment, marker(1))
		return blue.count(end) > 0
	})
	before, received := 0, 0
	for _, frame := range blue.seen() {
		if len(frame) < 42 || string(frame[12:14]) != string(octets("0800")) {
			continue
		}
		number := int(frame[36])<<8 | int(frame[37])
		if number <= before {
			t.Fatalf("datagram %d came behind datagram %d", number, before)
		}
		before = number
		received++
	}
	if received < 1000 { // a busy machine may lose some on the way into its interfaces, but not most
		t.Errorf("BLUE got %d of 2,000 datagrams", received)
	}
}

func TestS16NetworksAreApart(t *testing.T) {
	needs(t, "mausezahn", "tcpdump", "arping")
	t.Parallel()
	l := startLab(t, `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
  br1: {ipam: {config: [{subnet: 11.11.12.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2, mac_address: "02:00:00:00:00:01"}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
  PINK@: {networks: {br1: {ipv4_address: 11.11.12.2, mac_address: "02:00:00:00:00:01"}}}
x-uswitch: {uplink: none}
`)
	pink, blue := l.sniff("PINK"), l.sniff("BLUE")
	const mac = "02:00:00:00:00:01" // of RED and of PINK: a switch knows nothing of the other one's stations
	frames := [][]string{
		{everyone, mac, experiment, marker(1)},
		{"01:00:5e:01:02:03", mac, experiment, marker(2)},
		{"02:00:00:00:00:99", mac, experiment, marker(3)},
	}
	for _, frame := range frames {
		l.send("RED", frame...)
	}
	_, status := output(t, l.in("RED", "arping", "-I", "eth0", "-c", "1", "-w", "1", "11.11.12.2")...)
	if status == 0 {
		t.Error("somebody has answered RED for PINK's address")
	}
	blue.await("last frame", octets(frames[2]...))
	if !l.pings("PINK", "11.11.12.1") || !l.pings("RED", gatewayIP) {
		t.Error("a host does not reach its gateway")
	}
	for _, frame := range pink.seen() {
		if string(frame[6:12]) == string(octets(mac)) {
			t.Errorf("PINK got a frame from br0: % x", frame)
		}
	}
	var rows []station
	l.get("fdb", &rows)
	for _, row := range rows {
		if row.MAC == mac && (row.Ifname == "RED") != (row.Master == "br0") {
			t.Errorf("%s is behind %s on %s", mac, row.Ifname, row.Master)
		}
	}
}

func TestPortFlags(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("BLUE", gatewayIP)
	blue, green := l.sniff("BLUE"), l.sniff("GREEN")
	red, silent, group := l.ns("RED"), "02:00:00:00:00:44", "01:00:5e:01:02:03"
	tests := []struct {
		name, host, flag string
		dst, src         string
		toGreen          bool
		reason           string // of a drop at RED
	}{
		{"bcast_flood off", "GREEN", "bcast_flood", everyone, redMAC, false, ""},
		{"mcast_flood off", "GREEN", "mcast_flood", group, redMAC, false, ""},
		{"flood off", "GREEN", "flood", silent, redMAC, false, ""},
		{"learning off", "RED", "learning", everyone, "02:00:00:00:00:45", true, ""},
	}
	for i, test := range tests {
		l.set("port", l.ns(test.host), test.flag+"=off")
		l.send("RED", test.dst, test.src, experiment, marker(10+i))
		l.set("port", l.ns(test.host), test.flag+"=on")
		l.send("RED", everyone, redMAC, experiment, marker(100+i))
		green.await("marker", octets(everyone, redMAC, experiment, marker(100+i)))
		blue.await("marker", octets(everyone, redMAC, experiment, marker(100+i)))
		frame := octets(test.dst, test.src, experiment, marker(10+i))
		if got := green.count(frame) == 1; got != test.toGreen || blue.count(frame) != 1 {
			t.Errorf("%s: GREEN got it: %t, want %t; BLUE got it %d times, want once", test.name, got, test.toGreen, blue.count(frame))
		}
	}
	if port := l.behind("02:00:00:00:00:45"); port != "" {
		t.Errorf("learning off: the station is known behind %s", port)
	}
	l.set("port", red, "isolated=on")
	l.set("port", l.ns("GREEN"), "isolated=on")
	if l.behind(greenMAC) == "" {
		l.send("GREEN", everyone, greenMAC, experiment, marker(200))
	}
	l.send("RED", greenMAC, redMAC, experiment, marker(201))
	l.drop("RED", "isolated")
	if !l.pings("RED", blueIP) || !l.pings("GREEN", gatewayIP) {
		t.Error("isolated ports do not reach the others")
	}
	if _, text, status := l.try("set", "port", red, "isolated=perhaps"); status != 1 || !strings.Contains(text, "want on or off") {
		t.Errorf("a value that is none: status %d: %s", status, text)
	}
	probe.lostNothing()
}

func TestF16DuplicateMAC(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, strings.Replace(threeHosts, "11.11.11.3}", "11.11.11.3, mac_address: "+redMAC+"}", 1))
	text, status := output(t, uswitch, "run", l.file)
	if status != 1 || !strings.Contains(text, l.file+":6: ") || !strings.Contains(text, redMAC+": "+l.ns("BLUE")+" has this MAC address on br0 already") {
		t.Errorf("status %d: %s", status, text)
	}
}
