package test

import (
	"fmt"
	"strings"
	"testing"
)

// What RED puts onto its wire byte by byte, and what comes out elsewhere.
//
//	F01 S10  TestFramesArePassedOnAsTheyAre   frames of 14 bytes and more, without padding
//	F08 S10  TestFramesArePassedOnAsTheyAre   EtherTypes and lengths that nobody knows; VLAN tags, bit by bit
//	S3       TestFramesArePassedOnAsTheyAre   exactly once to every other port, never back
//	F04 S1   TestFramesAreRefused             sources that no station can have
//	F05      TestFramesAreRefused             the gateway's address, and one that is another port's by configuration
//	F06      TestFramesAreRefused             receivers behind the port they come from
//	F07 S5   TestFramesAreRefused             the sixteen reserved groups
//	F02 S11  TestF02Oversize                  larger than the port they should leave by; jumbo frames where configured

// marked are frames of a lab's own, told from others by their last bytes.
func marker(n int) string { return fmt.Sprintf("6d61726b%04x", n) }

func TestFramesArePassedOnAsTheyAre(t *testing.T) {
	needs(t, "mausezahn", "socat", "tcpdump")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("GREEN", blueIP)
	red, blue, green := l.sniff("RED"), l.sniff("BLUE"), l.sniff("GREEN")
	long := func(n int) string { return strings.Repeat("a5", n) }
	const unknown = "02:00:00:00:00:99"
	frames := []struct{ name, frame string }{
		{"F01 14 bytes", everyone + redMAC + "9001"},
		{"F01 15 bytes", everyone + redMAC + "9002 01"},
		{"F01 59 bytes", everyone + redMAC + "9003" + long(45)},
		{"F01 IPv4 cut off after one byte", everyone + redMAC + "0800 45"},
		{"F01 ARP cut off after two bytes", everyone + redMAC + "0806 0001"},
		{"F08 an EtherType that nobody knows", everyone + redMAC + "88b5 0102"},
		{"F08 an IEEE 802.3 length", everyone + redMAC + "0003 010203" + long(43)},
		{"F08 a length beyond the frame's end", everyone + redMAC + "05dc 010203"},
		{"F08 LLC and SNAP", everyone + redMAC + "000a aaaa03 000000 88b5 0102"},
		{"F08 EtherType 0x0004", everyone + redMAC + "0004 0102"},
		{"S10 a VLAN tag", everyone + redMAC + "8100 0064 88b5 0103"},
		{"S10 a priority tag", everyone + redMAC + "8100 e000 88b5 0104"},
		{"S10 two VLAN tags", everyone + redMAC + "88a8 0064 8100 00c8 88b5 0105"},
		{"S10 1514 bytes", everyone + redMAC + "88b5" + long(1500)},
		{"S11 1518 bytes with a tag", everyone + redMAC + "8100 0064 88b5" + long(1500)},
		{"S3 a multicast group", "01:00:5e:01:02:03" + redMAC + "88b5 0106"},
		{"S3 an unknown station", unknown + redMAC + "88b5 0107"},
	}
	for _, f := range frames {
		l.send("RED", f.frame)
	}
	l.send("RED", everyone, redMAC, experiment, marker(1))
	for _, s := range []*sniffer{blue, green} {
		s.await("marker", octets(everyone, redMAC, experiment, marker(1)))
	}
	for _, f := range frames {
		t.Run(f.name, func(t *testing.T) {
			for name, s := range map[string]*sniffer{"BLUE": blue, "GREEN": green} {
				if n := s.count(octets(f.frame)); n != 1 {
					t.Errorf("%s got it %d times, want once", name, n)
				}
			}
			if red.count(octets(f.frame)) != 0 {
				t.Error("it came back to RED")
			}
		})
	}
	probe.lostNothing()
}

func TestFramesAreRefused(t *testing.T) {
	needs(t, "mausezahn", "socat", "tcpdump")
	t.Parallel()
	l := startLab(t, strings.Replace(threeHosts, "11.11.11.0/24}]}",
		"11.11.11.0/24}]}, x-uswitch: {group_fwd_mask: 0x4000, fdb: [{mac: 02:00:00:00:00:77, host: BLUE@}]}", 1))
	probe := l.probe("GREEN", blueIP)
	sniffers := map[string]*sniffer{"RED": l.sniff("RED"), "BLUE": l.sniff("BLUE"), "GREEN": l.sniff("GREEN")}
	type refused struct{ name, frame, reason string }
	frames := []refused{
		{"F04 a multicast source", everyone + "01:00:00:00:00:01" + "88b5 0201", "group-source"},
		{"F04 a broadcast source", everyone + everyone + "88b5 0202", "group-source"},
		{"F04 a source of zeroes", everyone + "00:00:00:00:00:00" + "88b5 0203", "group-source"},
		{"F05 the gateway's address", everyone + gatewayMAC + "88b5 0204", "mac-spoof"},
		{"F05 an address configured for BLUE", everyone + "02:00:00:00:00:77" + "88b5 0205", "mac-spoof"},
		{"F06 to itself", redMAC + redMAC + "88b5 0206", "same-port"},
		{"F06 to another station behind the same port", redMAC + "02:00:00:00:00:55" + "88b5 0207", "same-port"},
	}
	for n := 1; n < 16; n++ { // the first passes, as in Linux without spanning tree, and LLDP's by group_fwd_mask
		if n == 14 {
			continue
		}
		frames = append(frames, refused{fmt.Sprintf("F07 reserved group %X", n),
			fmt.Sprintf("01:80:c2:00:00:%02x %s 88b5 03%02x", n, redMAC, n), "reserved-group"})
	}
	want := map[string]int{}
	passing := []string{"01:80:c2:00:00:00" + redMAC + "88b5 0300", "01:80:c2:00:00:0e" + redMAC + "88b5 030e"}
	for _, f := range passing {
		l.send("RED", f)
	}
	for _, f := range frames {
		l.send("RED", f.frame)
		want[f.reason]++
	}
	l.send("RED", everyone, redMAC, experiment, marker(2))
	sniffers["BLUE"].await("marker", octets(everyone, redMAC, experiment, marker(2)))
	sniffers["GREEN"].await("marker", octets(everyone, redMAC, experiment, marker(2)))
	for _, f := range frames {
		t.Run(f.name, func(t *testing.T) {
			for name, s := range sniffers {
				if s.count(octets(f.frame)) != 0 {
					t.Errorf("%s got it", name)
				}
			}
		})
	}
	for _, f := range passing {
		for _, name := range []string{"BLUE", "GREEN"} {
			if n := sniffers[name].count(octets(f)); n != 1 {
				t.Errorf("F07 %s got %s %d times, want it once", name, f, n)
			}
		}
	}
	l.marked(everyone, redMAC)
	for reason, n := range want {
		drops := l.events(func(e event) bool { return e.Reason == reason && e.Port == "RED" })
		if len(drops) != n {
			t.Errorf("%s: %d drops in the trace, want %d", reason, len(drops), n)
		}
		if len(drops) > 0 && drops[0].Text == "" {
			t.Errorf("%s: a drop without a word", reason)
		}
	}
	probe.lostNothing()
}

// marked waits until the trace has told of a marker.
func (l *lab) marked(dst, src string) {
	l.t.Helper()
	l.event("marker", func(e event) bool {
		return e.Hook == "bridge" && e.DstMAC == dst && e.SrcMAC == src && e.EtherType == "0x"+experiment && e.Length == 20
	})
}

func TestF02Oversize(t *testing.T) {
	needs(t, "mausezahn", "socat", "tcpdump")
	t.Parallel()
	l := startLab(t, `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}, driver_opts: {com.docker.network.driver.mtu: "9000"}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3, x-uswitch: {mtu: 1500}}}}
  GREEN@: {networks: {br0: {ipv4_address: 11.11.11.4}}}
x-uswitch: {uplink: none}
`)
	probe := l.probe("BLUE", greenIP)
	blue, green := l.sniff("BLUE"), l.sniff("GREEN")
	jumbo := everyone + redMAC + "88b5" + strings.Repeat("5a", 9000)
	tooBig := everyone + redMAC + "88b5" + strings.Repeat("5b", 1501)
	l.send("RED", jumbo)
	l.send("RED", tooBig)
	l.send("RED", everyone, redMAC, experiment, marker(3))
	blue.await("marker", octets(everyone, redMAC, experiment, marker(3)))
	green.await("marker", octets(everyone, redMAC, experiment, marker(3)))
	for name, frame := range map[string]string{"9014 bytes": jumbo, "1515 bytes": tooBig} {
		if green.count(octets(frame)) != 1 {
			t.Errorf("%s: GREEN, with an MTU of 9000, did not get it once", name)
		}
	}
	for _, f := range blue.seen() {
		if len(f) > 1514 {
			t.Errorf("BLUE, with an MTU of 1500, got %d bytes", len(f))
		}
	}
	if e := l.drop("BLUE", "pkt-too-big"); e.Length != 9014 || !strings.Contains(e.Text, "at most 1,500 bytes fit") {
		t.Errorf("the drop does not say how large it was, and what fits: %+v", e)
	}
	probe.lostNothing()
}
