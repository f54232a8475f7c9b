package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRemedies carries out what why-not proposes, on real cards, as a person would who copies its commands, and then sends the
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
  DB@: {networks: {back: {ipv4_address: 10.2.0.2}}, command: [python3, -c, "import socket, threading; s = socket.create_server(('', 80)); threading.Event().wait()"]}
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
	for _, test := range []struct {
		name, breaks, ask, undo string
		has                     string // what some command must have in it
		serves                  bool   // the last command is a server, which runs on
	}{
		{name: "no forwarding", breaks: "uswitch set gateway ip_forward=0", ask: "RED@ DB@", has: "ip_forward=1"},
		{name: "policy", breaks: "uswitch iptables -F FORWARD; uswitch iptables -P FORWARD DROP", ask: "RED@ DB@ --tcp 80", has: "-A FORWARD", undo: "uswitch iptables -P FORWARD ACCEPT; uswitch iptables -F FORWARD"},
		{name: "a rule", breaks: "uswitch iptables -A FORWARD -d 10.2.0.2 -p tcp -j DROP", ask: "RED@ DB@ --tcp 80", has: "-I FORWARD", undo: "uswitch iptables -F FORWARD"},
		{name: "card down", breaks: "uswitch exec BLUE@ -- ip link set eth0 down", ask: "RED@ BLUE@", has: "ip link set eth0 up"},
		{name: "no route", breaks: "uswitch exec RED@ -- ip route del default", ask: "RED@ 8.8.8.8", has: "ip route"},
		{name: "another gateway", breaks: "uswitch exec RED@ -- ip route replace default via 10.1.0.77", ask: "RED@ DB@", has: "10.1.0.1"},
		{name: "isolated", breaks: "uswitch set port RED@ isolated=on; uswitch set port BLUE@ isolated=on", ask: "RED@ BLUE@", has: "isolated=off", undo: "uswitch set port RED@ isolated=off; uswitch set port BLUE@ isolated=off"},
		{name: "no masquerading", breaks: "uswitch iptables -t nat -F", ask: "RED@ 8.8.8.8", has: "MASQUERADE"},
		{name: "the gateway has no address", breaks: "uswitch ip addr del 10.2.0.1/24 dev back", ask: "RED@ DB@", has: "10.2.0.1/24"},
		{name: "the gateway has lost a route", breaks: "uswitch ip route del 10.2.0.0/24 dev back", ask: "RED@ DB@", has: "ip route add 10.2.0.0/24 dev back"},
		{name: "two things", breaks: "uswitch set gateway ip_forward=0; uswitch exec RED@ -- ip route del default", ask: "RED@ DB@", has: "ip_forward=1"},
		{name: "nobody listens", ask: "RED@ BLUE@ --tcp 8080", has: "serve -p 8080", serves: true},
	} {
		args := strings.Fields(l.own(test.ask))
		if test.breaks != "" {
			typed(test.breaks)
		}
		var advice struct {
			Solved   bool
			Sentence string
			Steps    []struct{ Command, Text string }
		}
		if err := json.Unmarshal([]byte(l.do(append([]string{"why-not", "-o", "json"}, args...)...)), &advice); err != nil {
			t.Fatal(err)
		}
		all := ""
		for i, s := range advice.Steps {
			all += s.Command + "\n"
			switch {
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
		if !advice.Solved || !strings.Contains(all, test.has) {
			t.Errorf("%s: solved: %v by\n%swant %q among it\n%s", test.name, advice.Solved, all, test.has, advice.Sentence)
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
