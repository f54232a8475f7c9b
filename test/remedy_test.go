package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRemedies carries out what why-not proposes, on real interfaces, as a person would who copies its commands, and then sends the
// packet: what it calls solved must be answered, and what was in the way must have been taken out of it.
func TestRemedies(t *testing.T) {
	needs(t, "python3")
	t.Parallel()
	l := startLab(t, `
name: lab@
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  RED@: {networks: {front: {ipv4_address: 10.1.0.2}}}
  BLUE@: {networks: {front: {ipv4_address: 10.1.0.3}}}
  DB@: {networks: {back: {ipv4_address: 10.2.0.2}}, command: [python3, -c, "import socket, threading; s = [socket.create_server(a) for a in (('', 80), ('127.0.0.1', 81))]; threading.Event().wait()"]}
x-uswitch: {uplink: sim, docker_rules: off, keep_up: true}
`)
	bin := t.TempDir()
	if err := os.Symlink(uswitch, filepath.Join(bin, "uswitch")); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", l.own(line))
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "USWITCH_LAB="+l.name)
		cmd.WaitDelay = patience // for whoever inherits what it writes to
		return cmd
	}
	typed := func(line string) {
		t.Helper()
		if out, err := shell(line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	eventually(t, "DB listens", func() bool { // python takes its time to begin
		out, _, _ := l.try("exec", l.own("DB@"), "--", "ss", "-Hltn")
		return strings.Contains(out, ":80 ") && strings.Contains(out, ":81 ")
	})
	for _, test := range []struct {
		name, breaks, ask, undo string
		has                     string // what some command must have in it
		serves                  bool   // the last command is a server, which runs on
		says                    string // what must be done that no command does, or why it is not solved
		unsolved                bool
	}{
		{name: "no forwarding", breaks: "uswitch set gateway ip_forward=0", ask: "RED@ DB@", has: "ip_forward=1"},
		{name: "policy", breaks: "uswitch iptables -F FORWARD; uswitch iptables -P FORWARD DROP", ask: "RED@ DB@ --tcp 80", has: "-A FORWARD", undo: "uswitch iptables -P FORWARD ACCEPT; uswitch iptables -F FORWARD"},
		{name: "a rule", breaks: "uswitch iptables -A FORWARD -d 10.2.0.2 -p tcp -j DROP", ask: "RED@ DB@ --tcp 80", has: "-I FORWARD", undo: "uswitch iptables -F FORWARD"},
		{name: "interface down", breaks: "uswitch exec BLUE@ -- ip link set eth0 down", ask: "RED@ BLUE@", has: "ip link set eth0 up"},
		{name: "no route", breaks: "uswitch exec RED@ -- ip route del default", ask: "RED@ 8.8.8.8", has: "ip route"},
		{name: "another gateway", breaks: "uswitch exec RED@ -- ip route replace default via 10.1.0.77", ask: "RED@ DB@", has: "10.1.0.1"},
		{name: "isolated", breaks: "uswitch set port RED@ isolated=on; uswitch set port BLUE@ isolated=on", ask: "RED@ BLUE@", has: "isolated=off", undo: "uswitch set port RED@ isolated=off; uswitch set port BLUE@ isolated=off"},
		{name: "no masquerading", breaks: "uswitch iptables -t nat -F", ask: "RED@ 8.8.8.8", has: "MASQUERADE"},
		{name: "the gateway has no address", breaks: "uswitch ip addr del 10.2.0.1/24 dev back", ask: "RED@ DB@", has: "10.2.0.1/24"},
		{name: "the gateway has lost a route", breaks: "uswitch ip route del 10.2.0.0/24 dev back", ask: "RED@ DB@", has: "ip route add 10.2.0.0/24 dev back"},
		{name: "two things", breaks: "uswitch set gateway ip_forward=0; uswitch exec RED@ -- ip route del default", ask: "RED@ DB@", has: "ip_forward=1"},
		{name: "a blackhole", breaks: "uswitch exec RED@ -- ip route add blackhole 10.2.0.0/24", ask: "RED@ DB@", has: "exec RED@ -- ip route del blackhole 10.2.0.0/24"},
		{name: "unreachable, for the answer", breaks: "uswitch exec BLUE@ -- ip route add unreachable 10.1.0.2", ask: "RED@ BLUE@", has: "exec BLUE@ -- ip route del unreachable 10.1.0.2"},
		{name: "prohibit beside a gateway that drops", breaks: "uswitch exec RED@ -- ip route add prohibit 10.2.0.0/16; uswitch iptables -A FORWARD -d 10.2.0.2 -j DROP", ask: "RED@ DB@", has: "ip route del prohibit 10.2.0.0/16", undo: "uswitch iptables -F FORWARD"},
		{name: "a route that throws", breaks: "uswitch exec RED@ -- ip route add throw 10.2.0.0/24", ask: "RED@ DB@", has: "ip route del throw 10.2.0.0/24"},
		{name: "a rule of policy routing", breaks: "uswitch exec RED@ -- ip rule add to 10.2.0.0/24 prohibit", ask: "RED@ DB@", has: "ip rule del pref 32765 to 10.2.0.0/24 prohibit"},
		{name: "a rule by the source", breaks: "uswitch exec BLUE@ -- ip rule add from 10.1.0.3 blackhole", ask: "RED@ BLUE@", has: "ip rule del pref 32765 from 10.1.0.3/32 blackhole"},
		{name: "another table", breaks: "uswitch exec RED@ -- ip rule add to 10.2.0.2 table 7; uswitch exec RED@ -- ip route add blackhole default table 7", ask: "RED@ DB@", has: "ip route del blackhole default table 7", unsolved: true, says: "ip rule", undo: "uswitch exec RED@ -- ip rule del to 10.2.0.2 table 7"},
		{name: "lo is down", breaks: "uswitch exec RED@ -- ip link set lo down", ask: "RED@ 10.1.0.2", has: "ip link set lo up"},
		{name: "a server at 127.0.0.1", ask: "RED@ DB@ --tcp 81", says: "127.0.0.1:81 only"},
		{name: "a firewall of its own", breaks: "uswitch exec BLUE@ -- iptables-nft -P INPUT DROP", ask: "RED@ BLUE@", says: "uswitch exec BLUE@ -- nft list ruleset", unsolved: true, undo: "uswitch exec BLUE@ -- iptables-nft -P INPUT ACCEPT"},
		{name: "a rule of its own", breaks: "uswitch exec BLUE@ -- iptables-legacy -A INPUT -p icmp -j DROP; uswitch exec RED@ -- ip route add blackhole 10.1.0.3", ask: "RED@ BLUE@", has: "ip route del blackhole 10.1.0.3", says: "uswitch exec BLUE@ -- iptables-legacy -t filter -S", unsolved: true, undo: "uswitch exec BLUE@ -- iptables-legacy -F INPUT"},
		{name: "nobody listens", ask: "RED@ BLUE@ --tcp 8080", has: "serve -p 8080", serves: true},
	} {
		args := strings.Fields(l.own(test.ask))
		if test.breaks != "" {
			typed(test.breaks)
		}
		var advice struct {
			Solved   bool
			Sentence string
			Look     []string
			Steps    []struct{ Command, Text string }
		}
		if err := json.Unmarshal([]byte(l.do(append([]string{"why-not", "-o", "json"}, args...)...)), &advice); err != nil {
			t.Fatal(err)
		}
		all, words := "", advice.Sentence+"\n"+strings.Join(advice.Look, "\n")
		for i, s := range advice.Steps {
			all += s.Command + "\n"
			words += "\n" + s.Text
			switch {
			case s.Command == "" && test.says != "":
			case s.Command == "":
				t.Errorf("%s: no command does %q", test.name, s.Text)
			case test.serves && i == len(advice.Steps)-1:
				server := shell("exec " + s.Command)
				if err := server.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { server.Process.Kill(); server.Wait() })
			default:
				typed(s.Command)
			}
		}
		if advice.Solved == test.unsolved || !strings.Contains(all, l.own(test.has)) || !strings.Contains(words, l.own(test.says)) {
			t.Errorf("%s: solved: %v by\n%swant %q among it, and %q among\n%s", test.name, advice.Solved, all, test.has, test.says, words)
		}
		if test.has == "" && test.says != "" && strings.TrimSpace(all) != "" {
			t.Errorf("%s: nothing mends that, and yet it says\n%s", test.name, all)
		}
		if strings.Contains(test.name, "prohibit beside") && strings.Index(all, "ip route del") > strings.Index(all, "iptables") {
			t.Errorf("%s: the host's own route comes first\n%s", test.name, all)
		}
		var a sentAnswer
		works := func() bool {
			a = sentAnswer{}
			text := l.do(append([]string{"explain", "--send", "-o", "json"}, args...)...)
			if err := json.Unmarshal([]byte(text), &a); err != nil || a.Sent == nil {
				t.Fatalf("%v\n%s", err, text)
			}
			return a.Verdict == "yes"
		}
		switch {
		case test.says != "": // it cannot be mended by what was typed
		case test.serves:
			eventually(t, test.name+": it is served", works)
		case !works():
			t.Errorf("%s: after\n%sit is not answered: %s", test.name, all, a.Sentence)
		}
		if test.undo != "" {
			typed(test.undo)
		}
	}
}
