package rule_test

import (
	"testing"

	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// TestMatches asks for each condition whether a packet meets it.
func TestMatches(t *testing.T) {
	for _, c := range []struct {
		rule   string
		packet rule.Packet
		want   bool
	}{
		{"-s 11.11.11.0/24", syn(t), true},
		{"-s 11.11.12.0/24", syn(t), false},
		{"! -s 11.11.11.0/24", syn(t), false},
		{"-s 11.0.11.0/255.0.255.0", syn(t), true},
		{"-d 93.184.216.34", syn(t), true},
		{"! -d 93.184.216.34", syn(t), false},
		{"-i br0 -o wan0", syn(t), true},
		{"-i br+", syn(t), true},
		{"-i br", syn(t), false},
		{"-i br0+", syn(t), true},
		{"! -i br+", syn(t), false},
		{"! -i +", syn(t), false},
		{"! -o wan1", syn(t), true},
		{"-p tcp", syn(t), true},
		{"-p udp", syn(t), false},
		{"! -p udp", syn(t), true},
		{"-p all", syn(t), true},
		{"-f", syn(t), false},
		{"-f", syn(t, fragment), true},
		{"! -f", syn(t), true},
		{"-p tcp --dport 80", syn(t), true},
		{"-p tcp --dport 81:90", syn(t), false},
		{"-p tcp --dport 79:80", syn(t), true},
		{"-p tcp ! --dport 80", syn(t), false},
		{"-p tcp ! --dport 0:79", syn(t), true},
		{"-p tcp ! --dport 0:65535", syn(t), false},
		{"-p tcp --sport 1024: --dport :1023", syn(t), true},
		{"-p tcp --dport 80", syn(t, fragment), false},
		{"-p tcp ! --dport 80", syn(t, fragment), false},
		{"-p tcp -m tcp", syn(t), true},
		{"-p udp --dport 80", syn(t, udp), true},
		{"-p udp --sport 80", syn(t, udp), false},
		{"-p udp --sport 1818", syn(t, udp, fragment), false},
		{"-p tcp --syn", syn(t), true},
		{"-p tcp --syn", syn(t, answer), false},
		{"-p tcp ! --syn", syn(t, answer), true},
		{"-p tcp --tcp-flags ALL SYN,ACK", syn(t, answer), true},
		{"-p tcp --tcp-flags ALL NONE", syn(t), false},
		{"-p tcp --tcp-flags ACK NONE", syn(t), true},
		{"-p icmp --icmp-type echo-request", syn(t, ping), true},
		{"-p icmp --icmp-type 8/1", syn(t, ping), false},
		{"-p icmp ! --icmp-type 8/1", syn(t, ping), true},
		{"-p icmp --icmp-type 3", syn(t, unreachable), true},
		{"-p icmp --icmp-type port-unreachable", syn(t, unreachable), true},
		{"-p icmp --icmp-type host-unreachable", syn(t, unreachable), false},
		{"-p icmp --icmp-type any", syn(t, unreachable), true},
		{"-p icmp --icmp-type any", syn(t, ping, fragment), false},
		{"-p tcp -m multiport --dports 22,79:81", syn(t), true},
		{"-p tcp -m multiport --sports 22,79:81", syn(t), false},
		{"-p tcp -m multiport --ports 1818", syn(t), true},
		{"-p tcp -m multiport ! --ports 22,80", syn(t), false},
		{"-p tcp -m multiport ! --dports 22", syn(t), true},
		{"-p tcp -m multiport ! --dports 22", syn(t, fragment), false},
		{"-m conntrack --ctstate NEW", syn(t), true},
		{"-m conntrack --ctstate RELATED,ESTABLISHED", syn(t), false},
		{"-m conntrack --ctstate RELATED,ESTABLISHED", syn(t, answer), true},
		{"-m conntrack ! --ctstate NEW", syn(t, answer), true},
		{"-m conntrack --ctstate DNAT", syn(t, translated), true},
		{"-m conntrack --ctstate DNAT", syn(t), false},
		{"-m conntrack ! --ctstate SNAT", syn(t, translated), true},
		{"-m conntrack --ctstate INVALID", syn(t, noConn), true},
		{"-m conntrack ! --ctstate INVALID", syn(t, noConn), false},
		{"-m conntrack --ctorigdst 192.0.2.2 --ctorigdstport 8080", syn(t, translated), true},
		{"-m conntrack --ctorigdst 192.0.2.2", syn(t), false},
		{"-m conntrack ! --ctorigdst 192.0.2.0/24", syn(t), true},
		{"-m conntrack --ctorigsrc 11.11.11.9/24 --ctorigsrcport 1800:1900", syn(t), true},
		{"-m conntrack --ctreplsrc 93.184.216.34 --ctreplsrcport 80", syn(t), true},
		{"-m conntrack --ctrepldst 11.11.11.2 ! --ctrepldstport 1818", syn(t), false},
		{"-m conntrack --ctproto tcp", syn(t), true},
		{"-m conntrack ! --ctproto tcp", syn(t), false},
		{"-m conntrack --ctdir ORIGINAL", syn(t), true},
		{"-m conntrack --ctdir REPLY", syn(t), false},
		{"-m conntrack --ctdir REPLY", syn(t, answer), true},
		{"-m conntrack --ctdir ORIGINAL", syn(t, noConn), false},
		{"-m conntrack --ctstate INVALID --ctproto udp", syn(t, noConn), true}, // as the kernel's conntrack_mt
		{"-m state --state NEW", syn(t), true},
		{"-m state --state NEW", syn(t, translated), true},
		{"-m state ! --state NEW,ESTABLISHED", syn(t), false},
		{"-m state --state INVALID", syn(t, noConn), true},
		{"-m addrtype --dst-type LOCAL", syn(t, asked(local{})), true},
		{"-m addrtype ! --dst-type LOCAL", syn(t, asked(local{})), false},
		{"-m addrtype --src-type LOCAL", syn(t, asked(local{})), false},
		{"-m addrtype --src-type UNICAST --dst-type LOCAL", syn(t, asked(local{})), true},
		{"-m addrtype --dst-type LOCAL --limit-iface-in", syn(t, asked(local{"br0"})), true},
		{"-m addrtype --dst-type LOCAL --limit-iface-out", syn(t, asked(local{"br0"})), false},
		{"-m addrtype --dst-type UNICAST", syn(t), true},
		{"-m mark --mark 0x12", syn(t, marked(0x12)), true},
		{"-m mark --mark 0x10/0xf0", syn(t, marked(0x12)), true},
		{"-m mark ! --mark 0x10/0xf0", syn(t, marked(0x12)), false},
		{"-m mark --mark 0x1ff/0xff", syn(t, marked(0x1ff)), false}, // the mask leaves less than is asked for
		{"-m comment --comment words", syn(t), true},
		{"-m mac --mac-source 02:42:0b:0b:0b:02", syn(t), true},
		{"-m mac ! --mac-source 02:42:0b:0b:0b:02", syn(t), false},
		{"-m mac ! --mac-source 02:42:0b:0b:0b:03", syn(t), true},
		{"-m mac ! --mac-source 02:42:0b:0b:0b:03", syn(t, noMAC), false},
		{"-m iprange --src-range 11.11.11.2-11.11.11.9", syn(t), true},
		{"-m iprange --src-range 11.11.11.3-11.11.11.9", syn(t), false},
		{"-m iprange ! --src-range 11.11.11.0-11.11.11.1", syn(t), true},
		{"-m iprange --dst-range 93.184.216.34", syn(t), true},
		{"-m iprange --src-range 11.11.11.2 ! --dst-range 93.184.216.0-93.184.217.255", syn(t), false},
		{"-m iprange --src-range 11.11.11.9-11.11.11.1", syn(t), false},
		{"-p icmp --icmp-type 3/2:4", syn(t, unreachable), true},
		{"-p icmp --icmp-type 3/4:9", syn(t, unreachable), false},
		{"-p icmp --icmp-type 255/9", syn(t, unreachable), true},
		{"-m statistic --mode random --probability 1", syn(t, dice(1<<31-1)), true},
		{"-m statistic --mode random --probability 0.5", syn(t, dice(1<<30)), false},
		{"-m statistic --mode random --probability 0.5", syn(t, dice(1<<30-1)), true},
		{"-m statistic --mode random ! --probability 0.5", syn(t, dice(1<<30)), true},
		{"-p tcp --dport 80 -m conntrack --ctstate NEW -i br0", syn(t), true},
		{"-p tcp --dport 80 -m conntrack --ctstate NEW -i br1", syn(t), false},
	} {
		s := newTables(t, "-A FORWARD "+c.rule+" -j DROP").Snapshot()
		p := c.packet
		if d := s.Evaluate(rule.Filter, trace.Forward, &p); (d.Verdict == rule.Drop) != c.want {
			t.Errorf("%s: matches %v, want %v", c.rule, !c.want, c.want)
		}
	}
}
