package test

import (
	"fmt"
	"strings"
	"testing"
)

// The gateway's ARP, asked by iputils' arping and by frames that no arping would send.
//
//	A1 A10 F19  TestMalformedARP      wrong, short and padded: answered only where everything is right
//	A2          TestA2ReplyBytes      byte by byte
//	A3          TestA3OneAnswerEach   every address has one owner, and the gateway is not proxy for anybody
//	A4 F18      TestMalformedARP      senders that cannot be, and answers that nobody asked for: not believed
//	A5          TestMalformedARP      a sender in another's Ethernet frame
//	A6          TestA6DuplicateAddressDetection
//	A7 F17      TestA7GatewayDefends  at most once in ten seconds
//	F17         TestF17Announcements  of one's own address and of another's: they pass, and are told of
//	A8          TestA8Announcements   two, at the start
//	A9          TestA9Unanswered      a packet waits for a late answer; nobody at all: host unreachable
//	F20         -                     not of this stage

// question is the ARP part of "who has 11.11.11.1? tell 11.11.11.2" in pieces that tests change.
type question struct{ hardware, protocol, sizes, op, senderMAC, senderIP, targetMAC, targetIP string }

func ask() question {
	return question{"0001", "0800", "0604", "0001", redMAC, "0b0b0b02", "00:00:00:00:00:00", "0b0b0b01"}
}

func (q question) with(change func(*question)) string {
	change(&q)
	return everyone + redMAC + "0806" + q.hardware + q.protocol + q.sizes + q.op + q.senderMAC + q.senderIP + q.targetMAC + q.targetIP
}

func TestMalformedARP(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("GREEN", blueIP)
	red := l.sniff("RED", "arp[7] == 2 and ether src "+gatewayMAC)
	whole := ask().with(func(*question) {})
	tests := []struct {
		name, frame string
		says        string // what the gateway says of it: a reason, or words of its sentence
	}{
		{"A1 hardware type 6", ask().with(func(q *question) { q.hardware = "0006" }), "bad-arp"},
		{"A1 protocol type IPv6", ask().with(func(q *question) { q.protocol = "86dd" }), "bad-arp"},
		{"A1 hardware size 8", ask().with(func(q *question) { q.sizes = "0804" }), "bad-arp"},
		{"A1 protocol size 16", ask().with(func(q *question) { q.sizes = "0610" }), "bad-arp"},
		{"F19 sizes of 255", ask().with(func(q *question) { q.sizes = "ffff" }), "bad-arp"},
		{"A1 operation 0", ask().with(func(q *question) { q.op = "0000" }), "bad-arp"},
		{"A1 operation 3", ask().with(func(q *question) { q.op = "0003" }), "bad-arp"},
		{"F19 operation 255", ask().with(func(q *question) { q.op = "00ff" }), "bad-arp"},
		{"A10 27 bytes", strings.TrimSuffix(whole, "01"), "bad-arp"},
		{"A10 one byte", everyone + redMAC + "0806 00", "bad-arp"},
		{"A4 a broadcast sender", ask().with(func(q *question) { q.senderMAC = everyone }), "arp-sender"},
		{"A4 a multicast sender", ask().with(func(q *question) { q.senderMAC = "01:00:5e:00:00:01" }), "arp-sender"},
		{"A4 sender 127.0.0.1", ask().with(func(q *question) { q.senderIP = "7f000001" }), "arp-sender"},
		{"A4 sender 224.0.0.1", ask().with(func(q *question) { q.senderIP = "e0000001" }), "arp-sender"},
		{"A4 sender 11.11.11.255", ask().with(func(q *question) { q.senderIP = "0b0b0bff" }), "arp-sender"},
		{"A4 sender of another network", ask().with(func(q *question) { q.senderIP = "0a000001" }), "arp-foreign"},
		{"A5 a sender in disguise", ask().with(func(q *question) { q.senderMAC = "02:00:00:00:00:66" }), "arp-sender"},
		{"F18 an answer that nobody asked for", ask().with(func(q *question) {
			q.op, q.senderIP, q.targetMAC = "0002", "0b0b0b63", gatewayMAC
		}), "not noted"},
		{"A3 a question of a second subnet", ask().with(func(q *question) { q.senderIP, q.targetIP = "0a020101", "0a020102" }), "not mine"},
		{"A3 a question for somebody else", ask().with(func(q *question) { q.senderIP, q.targetIP = "0b0b0b62", "0b0b0b61" }), "not mine"},
	}
	for _, test := range tests {
		n := l.stdout.count()
		l.send("RED", test.frame)
		l.eventFrom(n, test.name+": "+test.says, func(e event) bool {
			return e.Where == "gateway" && (e.Reason == test.says || strings.Contains(e.Text, test.says))
		})
	}
	if len(red.seen()) > 0 {
		t.Errorf("an answer: % x", red.seen()[0])
	}
	for reason, want := range map[string]uint64{"bad-arp": 10, "arp-sender": 6, "arp-foreign": 1} {
		if n := l.drops(reason); n != want {
			t.Errorf("%s counts %d, want %d", reason, n, want)
		}
	}
	var neighbours []struct{ Dst, Lladdr string }
	l.get("neigh", &neighbours)
	if len(neighbours) > 0 {
		t.Errorf("the gateway believed one of them: %v", neighbours)
	}
	for name, padding := range map[string]int{"A10 28 bytes": 0, "A10 padded to 60": 18, "A10 padded to the MTU": 1472} {
		before := len(red.seen())
		l.send("RED", whole+strings.Repeat("00", padding))
		eventually(t, name+" are answered", func() bool { return len(red.seen()) > before })
	}
	probe.lostNothing()
}

func TestA2ReplyBytes(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	red, blue := l.sniff("RED"), l.sniff("BLUE", "arp[7] == 2")
	l.send("RED", ask().with(func(*question) {}))
	red.await("answer", octets(redMAC, gatewayMAC, "0806 0001 0800 0604 0002", gatewayMAC, "0b0b0b01", redMAC, "0b0b0b02"))
	if !l.pings("BLUE", redIP) {
		t.Error("BLUE does not reach RED")
	}
	for _, frame := range blue.seen() {
		if string(frame[6:12]) == string(octets(gatewayMAC)) {
			t.Error("the answer to RED went to BLUE too")
		}
	}
}

func TestA3OneAnswerEach(t *testing.T) {
	needs(t, "arping")
	t.Parallel()
	l := startLab(t, threeHosts)
	for address, mac := range map[string]string{gatewayIP: gatewayMAC, blueIP: blueMAC, greenIP: greenMAC} {
		text, _ := output(t, l.in("RED", "arping", "-b", "-I", "eth0", "-c", "2", address)...)
		if strings.Count(text, "reply from "+address+" ["+strings.ToUpper(mac)+"]") != 2 || !strings.Contains(text, "Received 2 response(s)") {
			t.Errorf("%s: want one answer to each of two questions:\n%s", address, text)
		}
	}
	for _, address := range []string{"11.11.11.77", "8.8.8.8"} {
		text, status := output(t, l.in("RED", "arping", "-I", "eth0", "-c", "1", "-w", "1", "-s", redIP, address)...)
		if status == 0 || !strings.Contains(text, "Received 0 response(s)") {
			t.Errorf("%s is nobody's:\n%s", address, text)
		}
	}
}

func TestA6DuplicateAddressDetection(t *testing.T) {
	needs(t, "arping")
	t.Parallel()
	l := startLab(t, threeHosts)
	if !l.pings("GREEN", gatewayIP) {
		t.Fatal("GREEN does not reach the gateway")
	}
	var before, after []struct{ Dst, Lladdr string }
	l.get("neigh", &before)
	for address, status := range map[string]int{gatewayIP: 1, blueIP: 1, "11.11.11.77": 0} {
		text, got := output(t, l.in("RED", "arping", "-D", "-I", "eth0", "-c", "2", "-w", "3", address)...)
		if got != status {
			t.Errorf("arping -D %s: status %d, want %d:\n%s", address, got, status, text)
		}
	}
	l.event("answer to a probe", func(e event) bool { return strings.Contains(e.Text, "somebody tries out my 11.11.11.1") })
	if l.get("neigh", &after); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("a probe has changed the neighbours: %v, before %v", after, before)
	}
}

func TestA7GatewayDefends(t *testing.T) {
	needs(t, "arping", "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("GREEN", blueIP)
	blue := l.sniff("BLUE", "arp and ether src "+gatewayMAC)
	gratuitous := octets(everyone, gatewayMAC, "0806 0001 0800 0604 0001", gatewayMAC, "0b0b0b01 000000000000 0b0b0b01")
	announced := func() int { return blue.count(gratuitous) }
	l.event("second announcement of the start", second(func(e event) bool { return strings.Contains(e.Text, "everyone is told: "+gatewayIP) }))
	before := announced()
	for i := range 3 {
		n := l.stdout.count()
		l.exec("RED", "mausezahn", "eth0", "-q", "-c", "1", "-a", redMAC, "-b", "bcast", "-t", "arp",
			fmt.Sprintf("request, sendermac=%s, senderip=%s, targetip=%s, targetmac=00:00:00:00:00:00", redMAC, gatewayIP, gatewayIP))
		l.eventFrom(n, fmt.Sprint("conflict ", i+1), func(e event) bool { return strings.Contains(e.Text, redMAC+" claims my own "+gatewayIP) })
	}
	eventually(t, "the gateway defends its address", func() bool { return announced() > before })
	n := l.stdout.count()
	l.exec("RED", "arping", "-U", "-I", "eth0", "-c", "1", "-w", "1", redIP)
	l.eventFrom(n, "RED's own announcement at BLUE", func(e event) bool { return e.Hook == "egress" && e.Port == "BLUE" && e.SrcMAC == redMAC })
	// The sniffer may still owe us an announcement of the start, so the steps are counted, not the frames.
	if met := l.events(func(e event) bool { return strings.Contains(e.Text, "everyone is told again") }); len(met) != 1 {
		t.Errorf("three claims within ten seconds were met %d times, want once", len(met))
	}
	probe.lostNothing()
}

func TestF17Announcements(t *testing.T) {
	needs(t, "arping", "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("GREEN", gatewayIP)
	if !l.pings("BLUE", gatewayIP) {
		t.Fatal("BLUE does not reach the gateway")
	}
	green := l.sniff("GREEN", "arp and ether src "+redMAC)
	for _, address := range []string{redIP, blueIP} {
		n, before := l.stdout.count(), len(green.seen())
		l.exec("RED", "mausezahn", "eth0", "-q", "-c", "1", "-a", redMAC, "-b", "bcast", "-t", "arp",
			fmt.Sprintf("request, sendermac=%s, senderip=%s, targetip=%s, targetmac=00:00:00:00:00:00", redMAC, address, address))
		eventually(t, "GREEN hears it", func() bool { return len(green.seen()) > before })
		l.eventFrom(n, "what the gateway says of "+address, func(e event) bool { return e.Hook == "arp" && strings.Contains(e.Text, address) })
	}
	l.event("BLUE's address at RED", func(e event) bool { return strings.Contains(e.Text, blueIP+" is at "+redMAC) })
	l.exec("BLUE", "arping", "-U", "-I", "eth0", "-c", "1", "-w", "1", blueIP)
	if !l.pings("BLUE", gatewayIP) {
		t.Error("BLUE's own announcement does not put that right again")
	}
	probe.lostNothing()
}

// second matches the second event that matches.
func second(is func(event) bool) func(event) bool {
	first := true
	return func(e event) bool {
		if !is(e) {
			return false
		}
		was := first
		first = false
		return !was
	}
}

func TestA8Announcements(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, threeHosts)
	l.event("second announcement", second(func(e event) bool { return strings.Contains(e.Text, "everyone is told: "+gatewayIP) }))
}

func TestA9Unanswered(t *testing.T) {
	needs(t, "tcpdump")
	t.Parallel()
	l := startLab(t, twoNetworks)
	bob := l.sniff("BOB", "arp")
	text, status := output(t, l.in("ALICE", "ping", "-n", "-c", "1", "-W", "10", "10.2.0.77")...)
	if status == 0 || !strings.Contains(text, "From 10.1.0.1 icmp_seq=1 Destination Host Unreachable") {
		t.Errorf("a ping to nobody: status %d:\n%s", status, text)
	}
	l.event("drop", func(e event) bool { return e.Reason == "neigh-failed" })
	question := octets(everyone, "02:42:0a:02:00:01", "0806 0001 0800 0604 0001", "02:42:0a:02:00:01", "0a020001 000000000000 0a02004d")
	if n := bob.count(question); n != 3 {
		t.Errorf("the gateway asked %d times, want three times", n)
	}

	must(t, "ip", "-n", l.ns("BOB"), "link", "set", "eth0", "arp", "off")
	late := begin(t, l.in("ALICE", "ping", "-n", "-c", "1", "-W", "10", "10.2.0.2")...)
	l.event("packet that waits", func(e event) bool { return e.Hook == "neighbor" && e.Verdict == "queue" && e.Packet > 0 })
	must(t, "ip", "-n", l.ns("BOB"), "link", "set", "eth0", "arp", "on")
	if status := late.waitOutput(); status != 0 || !strings.Contains(late.stdout.String(), "icmp_seq=1") {
		t.Errorf("the first packet was lost, though the answer came:\n%s", late.stdout)
	}
}

// twoNetworks has the gateway between two switches, and no rules.
//
//	ALICE 10.1.0.2 -- front -- 10.1.0.1 gateway 10.2.0.1 -- back -- BOB 10.2.0.2
const twoNetworks = `
name: lab@
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  ALICE@: {networks: [front]}
  BOB@: {networks: [back]}
x-uswitch: {uplink: none, rules: []}
`
