package test

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
)

// The gateway as a station: it answers pings, and nothing that is not a packet.
//
//	G2   TestG2Headers       version, header length, total length and checksum: dropped in silence, with a reason
//	G3   TestG3Padding       what stands behind the packet is not part of it
//	G10  TestG10Echo         the same bytes back, up to 64 KiB
//	W3   TestW3Walkthrough   3.1, 3.3 to 3.7, as a learner goes through them

// echo is a ping from RED to the gateway with these first byte and total length, and everything else right; or with a wrong
// checksum of the header.
func echo(first, total string, wrong bool) []byte {
	ip := octets(first, "00", total, "0001 0000 4001 0000 0b0b0b02 0b0b0b01")
	icmp := octets("0800 0000 6d61 7265 77697368")
	complete(ip[10:], ip)
	complete(icmp[2:], icmp)
	if wrong {
		ip[10] ^= 1
	}
	return append(append(octets(gatewayMAC, redMAC, "0800"), ip...), icmp...)
}

// complete writes the Internet checksum of b (RFC 1071), in which the field itself is still zero.
func complete(field, b []byte) {
	sum := 0
	for i := 0; i < len(b); i += 2 {
		sum += int(b[i])<<8 | int(b[i+1])
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	field[0], field[1] = ^byte(sum>>8), ^byte(sum)
}

func TestG2Headers(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("GREEN", blueIP)
	red := l.sniff("RED", "icmp and ether src "+gatewayMAC)
	good := echo("45", "0020", false)
	tests := []struct {
		name   string
		frame  []byte
		reason string
	}{
		{"version 6", echo("65", "0020", false), "ip-inhdr"},
		{"version 0", echo("05", "0020", false), "ip-inhdr"},
		{"a header of 16 bytes", echo("44", "0020", false), "ip-inhdr"},
		{"a header longer than the packet", echo("4f", "0020", false), "ip-inhdr"},
		{"longer than the frame", echo("45", "0021", false), "ip-inhdr"},
		{"shorter than its header", echo("45", "0013", false), "ip-inhdr"},
		{"no length", echo("45", "0000", false), "ip-inhdr"},
		{"cut off in its header", good[:33], "pkt-too-small"},
		{"a wrong checksum", echo("45", "0020", true), "ip-csum"},
	}
	for _, test := range tests {
		n := l.stdout.count()
		l.send("RED", hex.EncodeToString(test.frame))
		l.eventFrom(n, test.name+": "+test.reason, func(e event) bool { return e.Where == "gateway" && e.Reason == test.reason })
	}
	if l.drops("ip-inhdr") != 7 || l.drops("pkt-too-small") != 1 || l.drops("ip-csum") != 1 {
		t.Errorf("counted: ip-inhdr %d, ip-csum %d", l.drops("ip-inhdr"), l.drops("ip-csum"))
	}
	if len(red.seen()) > 0 {
		t.Errorf("an answer: % x", red.seen()[0])
	}
	l.send("RED", hex.EncodeToString(good))
	eventually(t, "the packet as it should be is answered", func() bool { return len(red.seen()) == 1 })
	probe.lostNothing()
}

func TestG3Padding(t *testing.T) {
	needs(t, "mausezahn", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	red := l.sniff("RED", "icmp and ether src "+gatewayMAC)
	for i, padding := range []int{0, 14, 1468} {
		l.send("RED", hex.EncodeToString(echo("45", "0020", false)), strings.Repeat("5a", padding))
		eventually(t, "an answer", func() bool { return len(red.seen()) > i })
		answer := red.seen()[i]
		if total := int(answer[16])<<8 | int(answer[17]); total != 32 || string(answer[38:46]) != string(octets("6d617265 77697368")) {
			t.Errorf("padding of %d bytes: the answer is of %d bytes: % x", padding, total, answer)
		}
	}
}

func TestG10Echo(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, threeHosts)
	for _, size := range []string{"0", "56", "1472", "1473", "9000", "65000"} {
		text, status := output(t, l.in("RED", "ping", "-n", "-c", "1", "-W", "5", "-s", size, "-p", "a55a", gatewayIP)...)
		bytes, _ := strconv.Atoi(size)
		if status != 0 || strings.Contains(text, "wrong") || !strings.Contains(text, strconv.Itoa(bytes+8)+" bytes from "+gatewayIP) {
			t.Errorf("%s bytes: status %d:\n%s", size, status, text)
		}
	}
	if text, status := output(t, l.in("RED", "ping", "-n", "-q", "-f", "-c", "200", gatewayIP)...); status != 0 || !strings.Contains(text, " 0% packet loss") {
		t.Errorf("as fast as it goes: status %d:\n%s", status, text)
	}
}

func TestW3Walkthrough(t *testing.T) {
	needs(t, "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	green := l.sniff("GREEN")

	// 3.1: both ways; the third host sees only the question to everyone.
	l.exec("RED", "ping", "-n", "-c", "3", "-i", "0.05", blueIP)
	l.exec("BLUE", "ping", "-n", "-c", "3", "-i", "0.05", redIP)
	green.await("question", octets(everyone, redMAC, "0806 0001 0800 0604 0001", redMAC, "0b0b0b02 000000000000 0b0b0b03"))
	for _, frame := range green.seen() {
		if string(frame[:6]) != string(octets(everyone)) {
			t.Errorf("GREEN sees what is not for it: % x", frame)
		}
	}
	arp := l.event("question", func(e event) bool { return e.SrcMAC == redMAC && e.EtherType == "0x0806" })
	icmp := l.event("ping", func(e event) bool { return e.SrcMAC == redMAC && e.EtherType == "0x0800" })
	if arp.Packet > icmp.Packet {
		t.Errorf("the ping is packet %d, the ARP before it %d", icmp.Packet, arp.Packet)
	}

	// 3.3: the gateway's connected route is there by itself.
	text := l.do("show", "routes")
	if !strings.Contains(text, "11.11.11.0/24 dev br0 proto kernel scope link src 11.11.11.1") {
		t.Errorf("show routes:\n%s", text)
	}
	// 3.5: the gateway is on the same network.
	for _, host := range []string{"RED", "BLUE"} {
		if !l.pings(host, gatewayIP) {
			t.Errorf("%s does not reach the gateway", host)
		}
	}
	text = l.do("show", "neigh")
	for ip, mac := range map[string]string{redIP: redMAC, blueIP: blueMAC} {
		if !strings.Contains(text, ip+" dev br0 lladdr "+mac+" ") {
			t.Errorf("show neigh, without %s:\n%s", ip, text)
		}
	}
	if text := l.exec("RED", "ip", "neigh"); !strings.Contains(text, gatewayIP+" dev eth0 lladdr "+gatewayMAC) {
		t.Errorf("ip neigh in RED:\n%s", text)
	}

	// 3.6: without a default route nothing leaves RED.
	must(t, "ip", "-n", l.ns("RED"), "route", "del", "default")
	n := l.stdout.count()
	text, status := output(t, l.in("RED", "ping", "-n", "-c", "1", "192.168.104.2")...)
	if status == 0 || !strings.Contains(text, "Network is unreachable") {
		t.Errorf("without a route: status %d: %s", status, text)
	}
	if !l.pings("GREEN", gatewayIP) { // the trace is behind this
		t.Error("GREEN does not reach the gateway")
	}
	l.eventFrom(n, "GREEN's ping", func(e event) bool { return e.SrcMAC == greenMAC && e.EtherType == "0x0800" })
	for _, e := range l.events(func(e event) bool { return e.SrcMAC == redMAC && strings.Contains(e.Text, "192.168.104.2") }) {
		t.Errorf("RED has sent: %+v", e)
	}

	// 3.7: with one it reaches the gateway, which says why it goes no further: this lab has no way out.
	must(t, "ip", "-n", l.ns("RED"), "route", "add", "default", "via", gatewayIP)
	text, _ = output(t, l.in("RED", "ping", "-n", "-c", "1", "-W", "5", "192.168.104.2")...)
	if !strings.Contains(text, "From 11.11.11.1 icmp_seq=1 Destination Net Unreachable") {
		t.Errorf("with a route: %s", text)
	}
	l.event("reason", func(e event) bool { return e.Reason == "ip-innoroutes" })
}
