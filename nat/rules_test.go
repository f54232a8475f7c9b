package nat_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// What rules decide, and what the gateway makes of it.

func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		rules []string
		send  []byte
		where trace.Reason
		out   string // what leaves by the uplink or comes back
	}{
		{[]string{"-P FORWARD DROP"}, udp("11.11.11.2:5", "8.8.8.8:53", ""), trace.PolicyDrop, ""},
		{[]string{"-P INPUT DROP"}, echo("11.11.11.2", "11.11.11.1", 7, ""), trace.PolicyDrop, ""},
		{[]string{"-P OUTPUT DROP"}, echo("11.11.11.2", "11.11.11.1", 7, ""), trace.PolicyDrop, ""},
		{[]string{"-P INPUT DROP"}, udp("11.11.11.2:5", "8.8.8.8:53", ""), trace.NoReason, "udp 11.11.11.2:5 > 8.8.8.8:53 ttl 63"},
		{[]string{"-t raw -A PREROUTING -p udp -j DROP"}, udp("11.11.11.2:5", "8.8.8.8:53", ""), trace.RuleDrop, ""},
		{[]string{"-N MINE", "-A MINE -j RETURN", "-A MINE -j DROP", "-A FORWARD -j MINE"}, udp("11.11.11.2:5", "8.8.8.8:53", ""),
			trace.NoReason, "udp 11.11.11.2:5 > 8.8.8.8:53 ttl 63"},
		{[]string{"-N MINE", "-A MINE -p udp -j DROP", "-A FORWARD -j MINE"}, udp("11.11.11.2:5", "8.8.8.8:53", ""), trace.RuleDrop, ""},
		{[]string{"-A FORWARD -i br0 -o uplink -j ACCEPT", "-P FORWARD DROP"}, udp("11.11.11.2:5", "8.8.8.8:53", ""),
			trace.NoReason, "udp 11.11.11.2:5 > 8.8.8.8:53 ttl 63"},
		{[]string{"-A FORWARD -m mac --mac-source 02:00:00:00:01:02 -j DROP"}, udp("11.11.11.2:5", "8.8.8.8:53", ""), trace.RuleDrop, ""},
		{[]string{"-A FORWARD -m addrtype --dst-type LOCAL -j DROP"}, udp("11.11.11.2:5", "8.8.8.8:53", ""),
			trace.NoReason, "udp 11.11.11.2:5 > 8.8.8.8:53 ttl 63"},
	} {
		t.Run(joined(c.rules), func(t *testing.T) {
			l := newLab(t, c.rules...)
			l.red.send(c.send)
			got := slices.Concat(l.br0.packets(), l.wan.packets())
			if joined(got) != c.out {
				t.Errorf("came out: %s, want %s", joined(got), c.out)
			}
			if c.where != trace.NoReason {
				l.drops(c.where, 1)
				if n := len(l.Conns(l.now)); n != 0 && !strings.Contains(c.rules[0], "OUTPUT") {
					t.Errorf("%d connections of packets that were dropped", n)
				}
			}
		})
	}
}

var rejects = map[string]string{
	"icmp-net-unreachable": "3/0", "icmp-host-unreachable": "3/1", "icmp-proto-unreachable": "3/2", "icmp-port-unreachable": "3/3",
	"icmp-net-prohibited": "3/9", "icmp-host-prohibited": "3/10", "icmp-admin-prohibited": "3/13",
}

func TestReject(t *testing.T) {
	for with, code := range rejects {
		l := newLab(t, "-A FORWARD -p tcp -j REJECT --reject-with "+with)
		l.red.send(tcp("11.11.11.2:5", "8.8.8.8:80", seg{flags: "S"}))
		l.want(l.br0, "icmp "+code+" 11.11.11.1 > 11.11.11.2 ttl 64 about tcp 11.11.11.2:5 > 8.8.8.8:80 ttl 63 S")
		l.drops(trace.RuleReject, 1)
		l.want(l.wan)
	}
	l := newLab(t, "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset", "-A INPUT -p tcp -j REJECT --reject-with tcp-reset")
	l.red.send(tcp("11.11.11.2:5", "8.8.8.8:80", seg{flags: "S"}), tcp("11.11.11.2:5", "11.11.11.1:80", seg{flags: "S"}))
	l.want(l.br0, "tcp 8.8.8.8:80 > 11.11.11.2:5 ttl 64 RA", "tcp 11.11.11.1:80 > 11.11.11.2:5 ttl 64 RA")
}

// dnat leads port 8080 of the uplink's address to BLUE.
const dnat = "-t nat -A PREROUTING -d 192.0.2.2/32 -p tcp --dport 8080 -j DNAT --to-destination 22.22.22.2:80"

func TestRejectAfterDNAT(t *testing.T) {
	// The sender must see the addresses that it used.
	l := newLab(t, dnat, "-A FORWARD -p tcp -j REJECT")
	l.red.send(tcp("11.11.11.2:5", "192.0.2.2:8080", seg{flags: "S"}))
	l.want(l.br0, "icmp 3/3 11.11.11.1 > 11.11.11.2 ttl 64 about tcp 11.11.11.2:5 > 192.0.2.2:8080 ttl 63 S")

	l = newLab(t, dnat, "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset")
	l.red.send(tcp("11.11.11.2:5", "192.0.2.2:8080", seg{flags: "S"}))
	l.want(l.br0, "tcp 192.0.2.2:8080 > 11.11.11.2:5 ttl 64 RA")
	l.nothing()
}

func TestRejectOfAnOldConnection(t *testing.T) {
	// A rule that is added later meets packets of a connection that is translated at both ends.
	for _, with := range []string{"tcp-reset", "icmp-port-unreachable"} {
		l := newLab(t, dnat, "-t nat -A POSTROUTING -o br1 -j MASQUERADE")
		l.red.send(tcp("11.11.11.2:5", "192.0.2.2:8080", seg{flags: "S", seq: 1}))
		l.want(l.br1, "tcp 22.22.22.1:5 > 22.22.22.2:80 ttl 63 S")
		l.blue.send(tcp("22.22.22.2:80", "22.22.22.1:5", seg{flags: "SA", seq: 1, ack: 2}))
		l.want(l.br0, "tcp 192.0.2.2:8080 > 11.11.11.2:5 ttl 63 SA")
		l.rule("-A FORWARD -p tcp -j REJECT --reject-with " + with)
		l.red.send(tcp("11.11.11.2:5", "192.0.2.2:8080", seg{flags: "A", seq: 2, ack: 2}))
		l.blue.send(tcp("22.22.22.2:80", "22.22.22.1:5", seg{flags: "A", seq: 2, ack: 2}))
		if with == "tcp-reset" {
			l.want(l.br0, "tcp 192.0.2.2:8080 > 11.11.11.2:5 ttl 64 R")
			l.want(l.br1, "tcp 22.22.22.1:5 > 22.22.22.2:80 ttl 64 R")
			continue
		}
		l.want(l.br0, "icmp 3/3 11.11.11.1 > 11.11.11.2 ttl 64 about tcp 11.11.11.2:5 > 192.0.2.2:8080 ttl 63 A")
		l.want(l.br1, "icmp 3/3 22.22.22.1 > 22.22.22.2 ttl 64 about tcp 22.22.22.2:80 > 22.22.22.1:5 ttl 63 A")
	}
}

func TestRejectAnswersReset(t *testing.T) {
	// RFC 9293 3.10.7.1: with ACK the reset takes its number, without it acknowledges what came.
	for _, c := range []struct {
		send     seg
		want     string
		seq, ack uint32
	}{
		{seg{flags: "S", seq: 100}, "RA", 0, 101},
		{seg{flags: "SF", seq: 100, data: "abc"}, "RA", 0, 105},
		{seg{flags: "A", seq: 100, ack: 7}, "R", 7, 0},
		{seg{flags: "SA", seq: 100, ack: 7}, "R", 7, 0},
	} {
		l := newLab(t)
		l.red.send(tcp("11.11.11.2:5", "11.11.11.1:80", c.send))
		raw := l.br0.raw()
		if got := read(t, raw[0]); !strings.HasSuffix(got, " "+c.want) {
			t.Errorf("%+v is answered by %s, want %s", c.send, got, c.want)
		}
		if s := frame.TCP(raw[0][20:]); s.Seq() != c.seq || s.Ack() != c.ack {
			t.Errorf("%+v: seq %d ack %d, want %d and %d", c.send, s.Seq(), s.Ack(), c.seq, c.ack)
		}
	}
}

func TestMarkReachesLaterHooks(t *testing.T) {
	l := newLab(t, "-A FORWARD -p udp --dport 53 -j MARK --set-mark 0x1", "-t nat -A POSTROUTING -m mark --mark 0x1 -j MASQUERADE")
	if l.tables.Snapshot() == nil {
		t.Fatal("no rules")
	}
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", ""), udp("11.11.11.2:5", "8.8.8.8:54", ""))
	l.want(l.wan, "udp 192.0.2.2:5 > 8.8.8.8:53 ttl 63", "udp 11.11.11.2:5 > 8.8.8.8:54 ttl 63")
}

func TestMasqueradePorts(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -p udp -o uplink -j MASQUERADE --to-ports 6000-6001")
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", ""), udp("11.11.11.2:6001", "8.8.8.8:53", ""))
	l.want(l.wan, "udp 192.0.2.2:6000 > 8.8.8.8:53 ttl 63", "udp 192.0.2.2:6001 > 8.8.8.8:53 ttl 63")

	l = newLab(t, "-t nat -A POSTROUTING -p udp -o uplink -j MASQUERADE --random")
	ports := map[string]bool{}
	for i := range 30 {
		l.red.send(udp(fmt.Sprintf("11.11.11.2:%d", 2000+i), "8.8.8.8:53", ""))
		fields := strings.Fields(l.wan.packets()[0])
		p := netip.MustParseAddrPort(fields[1])
		if p.Port() < 1024 {
			t.Errorf("port %d is privileged", p.Port())
		}
		ports[fields[1]] = true
	}
	if len(ports) != 30 || ports["192.0.2.2:2000"] && ports["192.0.2.2:2001"] {
		t.Errorf("not random or not unique: %v", ports)
	}
}

func TestSNATPorts(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -p udp -o uplink -j SNAT --to-source 192.0.2.2:7000-7001")
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", ""))
	l.pink.send(udp("11.11.11.3:5", "8.8.8.8:53", ""))
	l.want(l.wan, "udp 192.0.2.2:7000 > 8.8.8.8:53 ttl 63", "udp 192.0.2.2:7001 > 8.8.8.8:53 ttl 63")
}

func TestDNATChoices(t *testing.T) {
	send := udp("8.8.8.8:53", "192.0.2.2:8082", "")
	for to, want := range map[string]string{
		"11.11.11.2":                "11.11.11.2:8082",
		"11.11.11.2:80":             "11.11.11.2:80",
		"11.11.11.2-11.11.11.3":     "11.11.11.2:8082", // 8.8.8.8 is even
		":99":                       "192.0.2.2:99",
		"11.11.11.2:8000-8090":      "11.11.11.2:8082", // is among them
		"11.11.11.2:9000-9010":      "11.11.11.2:9000",
		"11.11.11.2:9000-9010/8080": "11.11.11.2:9002", // shifted
		"11.11.11.2:9000-9010/8092": "11.11.11.2:9010", // 65526 further on, modulo 11, as the kernel counts
	} {
		l := newLab(t, "-t nat -A PREROUTING -i uplink -p udp -j DNAT --to-destination "+to)
		l.wan.send(send)
		if to == ":99" {
			l.want(l.wan, "icmp 3/3 192.0.2.2 > 8.8.8.8 ttl 64 about udp 8.8.8.8:53 > 192.0.2.2:8082 ttl 64")
			continue
		}
		got := l.br0.packets()
		if len(got) != 1 || !strings.Contains(got[0], "> "+want+" ") {
			t.Errorf("--to-destination %s: %v, want it to go to %s", to, got, want)
		}
	}
}

func TestRedirect(t *testing.T) {
	l := newLab(t, "-t nat -A PREROUTING -i br0 -p udp --dport 53 -j REDIRECT --to-ports 5353")
	l.red.send(udp("11.11.11.2:5", "8.8.8.8:53", "q"))
	l.want(l.br0, `icmp 3/3 8.8.8.8 > 11.11.11.2 ttl 64 about udp 11.11.11.2:5 > 8.8.8.8:53 ttl 64 "q"`)
	if c := l.conn(); c.Reply.Source() != "11.11.11.1:5353" || !c.DNAT {
		t.Errorf("the answers would come from %s", c.Reply.Source())
	}
	l = newLab(t, "-t nat -A PREROUTING -i br0 -p tcp -j REDIRECT --to-ports 80")
	l.red.send(tcp("11.11.11.2:5", "8.8.8.8:53", seg{flags: "S"}))
	l.want(l.br0, "tcp 8.8.8.8:53 > 11.11.11.2:5 ttl 64 RA")
	l.nothing()
}

func TestOutputOfTheGateway(t *testing.T) {
	// nat OUTPUT and POSTROUTING see what the gateway itself begins. An answer is not the beginning of anything.
	l := newLab(t, "-t nat -A OUTPUT -j DNAT --to-destination 22.22.22.2", "-t nat -A POSTROUTING -j SNAT --to-source 9.9.9.9",
		"-A OUTPUT -m conntrack --ctstate RELATED -d 11.11.11.3/32 -j DROP")
	l.red.send(echo("11.11.11.2", "11.11.11.1", 7, ""), udp("11.11.11.2:5", "11.11.11.1:5", ""))
	l.pink.send(udp("11.11.11.3:5", "11.11.11.1:5", ""))
	l.want(l.br0, "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7",
		"icmp 3/3 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:5 > 11.11.11.1:5 ttl 64")
	l.want(l.br1)
}

func TestInputSNAT(t *testing.T) {
	// SNAT in INPUT changes what the gateway sees; the answer finds back.
	l := newLab(t, "-t nat -A INPUT -p icmp -j SNAT --to-source 22.22.22.2")
	l.red.send(echo("11.11.11.2", "11.11.11.1", 7, ""))
	l.want(l.br0, "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7")
	l.want(l.br1)
}

func TestStatesInRules(t *testing.T) {
	count := func(state string) string {
		return "-A FORWARD -m conntrack --ctstate " + state + " -m comment --comment " + state
	}
	l := newLab(t, masquerade, count("NEW"), count("ESTABLISHED"), count("RELATED"), count("INVALID"), count("SNAT"), count("DNAT"))
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "one"))
	sent := l.wan.raw()[0]
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "two: still new, nobody has answered"))
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1818", "established"))
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "established"))
	l.wan.send(icmp("8.8.8.8", "192.0.2.2", 3, 3, 0, sent))
	l.red.send(tcp("11.11.11.2:1", "8.8.8.8:80", seg{flags: "A"}))
	out, err := l.tables.Exec(strings.Fields("-L FORWARD -n -v -x"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, line := range strings.Split(out, "\n")[2:] {
		if f := strings.Fields(line); len(f) > 2 {
			got[f[len(f)-2]] = f[0]
		}
	}
	want := map[string]string{"NEW": "2", "ESTABLISHED": "2", "RELATED": "1", "INVALID": "1", "SNAT": "4", "DNAT": "0"}
	for state, n := range want {
		if got[state] != n {
			t.Errorf("%s packets of state %s, want %s\n%s", got[state], state, n, out)
		}
	}
}

func TestTheHomework(t *testing.T) {
	// How does the answer to the masqueraded address find RED? By the connection's reply tuple.
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", "who is example.com?"))
	l.want(l.wan, "udp "+asked+" ttl 63 +19")
	c := l.conn()
	if c.Original.Source() != "11.11.11.2:1818" || c.Reply.Destination() != "192.0.2.2:1818" || c.Reply.Source() != "8.8.8.8:53" || !c.SNAT {
		t.Errorf("connection: %+v", c)
	}
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1818", "it is me"))
	l.want(l.br0, `udp 8.8.8.8:53 > 11.11.11.2:1818 ttl 63 "it is me"`)
}

func TestRulesChangeForNewConnectionsOnly(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	l.rule("-t nat -F")
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""), udp("11.11.11.2:1818", "8.8.8.8:54", ""))
	l.want(l.wan, "udp 192.0.2.2:1818 > 8.8.8.8:53 ttl 63", "udp 192.0.2.2:1818 > 8.8.8.8:53 ttl 63",
		"udp 11.11.11.2:1818 > 8.8.8.8:54 ttl 63")
}

func TestLimitTakesTime(t *testing.T) {
	l := newLab(t, "-A FORWARD -m limit --limit 1/s --limit-burst 2 -j ACCEPT", "-P FORWARD DROP")
	for range 5 {
		l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	}
	if n := len(l.wan.packets()); n != 2 {
		t.Errorf("%d packets in the first moment, want 2", n)
	}
	l.advance(time.Second)
	l.red.send(udp("11.11.11.2:1818", "8.8.8.8:53", ""), udp("11.11.11.2:1818", "8.8.8.8:53", ""))
	if n := len(l.wan.packets()); n != 1 {
		t.Errorf("%d packets a second later, want 1", n)
	}
}

func TestWhyASourceCannotLeave(t *testing.T) {
	l := newLab(t, "-t nat -A POSTROUTING -p tcp -j SNAT --to-source 203.0.113.50")
	l.wan.refuse = trace.InsideSource // as an uplink says that takes only its own address
	l.red.send(tcp(redPort, server, seg{flags: "S"}))
	l.drops(trace.ForeignSource, 1)
	l.red.send(tcp("11.11.11.2:9", server, seg{flags: "A"}))
	l.drops(trace.Invalid, 1)
	l.red.send(udp(redPort, "8.8.8.8:53", ""))
	l.drops(trace.InsideSource, 1)
}
