package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// sentAnswer is what explain --send -o json says.
type sentAnswer struct {
	Verdict, Predicted, Sentence string
	Sent                         *struct {
		Verdict, Heard, Arrived, Unknown string
		Packet                           uint64
		Differs, Unanswered              bool
		Ended                            *struct{ Where, Reason string }
	}
}

// TestSend settles questions with real packets, on real interfaces: whatever a host's own rules, routes and neighbours make of them
// is what explain says, a difference to what was predicted is shown and counted, and the trace knows the packet.
func TestSend(t *testing.T) {
	needs(t, "iptables", "python3")
	t.Parallel()
	l := newLab(t, `
name: lab@
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}, command: [python3, -c, "import socket, threading; u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('', 5000)); t = socket.create_server(('', 80)); threading.Event().wait()"]}
x-uswitch:
  uplink: sim
  checks: [{name: pings, from: RED@, to: BLUE@}]
`)
	l.run()
	l.waitUp()
	red, blue := l.ns("RED"), l.ns("BLUE")
	inside := func(host string, argv ...string) {
		must(t, append([]string{uswitch, "exec", "--lab", l.name, host, "--"}, argv...)...)
	}
	send := func(args ...string) (a sentAnswer) {
		t.Helper()
		text := l.do(append([]string{"explain", "--send", "-o", "json", red}, args...)...)
		if err := json.Unmarshal([]byte(text), &a); err != nil || a.Sent == nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return a
	}
	eventually(t, "BLUE listens", func() bool { // which no question is sent for: the prediction would be of a moment before
		return strings.Contains(l.do("explain", red, blue, "--tcp", "80"), "It works") && strings.Contains(l.do("explain", red, blue, "--udp", "5000"), "It works")
	})
	wrong := 0
	for _, test := range []struct {
		name      string
		do, undo  string // what is typed in a host first, and afterwards
		args      []string
		verdict   string
		onTheWire bool
		says      string
		notBlue   bool // it does not come to BLUE
	}{
		{name: "ping", args: []string{blue}, verdict: "yes", onTheWire: true, says: "an answer"},
		{name: "gateway", args: []string{"gateway"}, verdict: "yes", onTheWire: true, says: "an answer", notBlue: true},
		{name: "outside", args: []string{"8.8.8.8"}, verdict: "yes", onTheWire: true, says: "an answer", notBlue: true},
		{name: "nobody listens", args: []string{blue, "--tcp", "81"}, verdict: "no", onTheWire: true, says: "connection refused"},
		{name: "no datagrams taken", args: []string{blue, "--udp", "81"}, verdict: "no", onTheWire: true, says: "connection refused, says 11.11.11.3"},
		{name: "a datagram", args: []string{blue, "--udp", "5000"}, verdict: "yes", onTheWire: true, says: "as is usual with UDP"},
		{name: "rules of the other host", do: "BLUE iptables -A INPUT -p icmp -j DROP", undo: "BLUE iptables -F", args: []string{blue}, verdict: "no", onTheWire: true, says: "nothing in"},
		{name: "rules of its own", do: "RED iptables -A OUTPUT -p icmp -j REJECT --reject-with icmp-admin-prohibited", undo: "RED iptables -F", args: []string{blue}, verdict: "no", says: "p"},
		{name: "a route into nothing", do: "RED ip route add blackhole 11.11.11.3/32", undo: "RED ip route del blackhole 11.11.11.3/32", args: []string{blue, "--tcp", "80"}, verdict: "no", says: "invalid argument"},
		{name: "a rule of the routes", do: "RED ip rule add to 11.11.11.3 prohibit", undo: "RED ip rule del to 11.11.11.3 prohibit", args: []string{blue}, verdict: "no", says: "permission denied"},
		{name: "nobody is there", args: []string{"11.11.11.99", "--tcp", "80"}, verdict: "no", says: "nothing in", notBlue: true},
	} {
		typed := func(line string) {
			if host, rest, ok := strings.Cut(line, " "); ok {
				inside(l.ns(host), strings.Fields(rest)...)
			}
		}
		typed(test.do)
		a := send(test.args...)
		typed(test.undo)
		if a.Verdict != test.verdict || !strings.Contains(a.Sent.Heard, test.says) || (a.Sent.Packet != 0) != test.onTheWire {
			t.Errorf("%s: %s, heard %q, packet %d; want %s, %q, on the wire %v", test.name, a.Verdict, a.Sent.Heard, a.Sent.Packet, test.verdict, test.says, test.onTheWire)
		}
		if (a.Sent.Arrived == blue) != (test.onTheWire && !test.notBlue) {
			t.Errorf("%s: arrived at %q", test.name, a.Sent.Arrived)
		}
		if differs := a.Predicted == "yes" && a.Verdict == "no" || a.Predicted == "no" && a.Verdict == "yes"; differs != a.Sent.Differs || differs != strings.HasPrefix(a.Sentence, "The prediction was wrong") {
			t.Errorf("%s: predicted %s, was %s, and it says: %s", test.name, a.Predicted, a.Verdict, a.Sentence)
		} else if differs {
			wrong++
		}
	}
	contains(t, l.do("show", "lab"), "lab ", "state ", fmt.Sprintf("%d wrong", wrong))

	// What the gateway drops is found in the trace; and check, and reach, do not hold for what a host itself stops.
	l.iptables("-I FORWARD -j DROP")
	if a := send("8.8.8.8"); a.Verdict != "no" || a.Sent.Ended == nil || a.Sent.Ended.Where != "gateway" || a.Sent.Ended.Reason != "netfilter-drop" {
		t.Errorf("%+v, %+v", a, a.Sent)
	}
	contains(t, l.do("check"), "1 hold")
	inside(blue, "iptables", "-A", "INPUT", "-p", "icmp", "-j", "DROP")
	out, status := output(t, uswitch, "check", l.name)
	if status == 0 {
		t.Errorf("a check holds that no real packet bears out\n%s", out)
	}
	contains(t, l.do("reach"), "not-answered", "a real packet was not answered")
}

// TestSendInMemory is the same where hosts are simulated: their own stacks send.
func TestSendInMemory(t *testing.T) {
	t.Parallel()
	text, status := simulated(t, "", "run", "--sim", "red-blue", "--trace", "off", "--", "sh", "-c", `
u="$0"
"$u" explain RED BLUE --send | tail -8
"$u" explain RED 8.8.8.8 --send -o json
"$u" exec BLUE -- ip link set eth0 down
"$u" explain RED BLUE --send | tail -8
"$u" reach
"$u" show lab`, uswitch)
	contains(t, text, "in the trace, which `uswitch replay", "As predicted, a real packet was answered.", `"verdict": "yes"`,
		"As predicted, a real packet was not answered.", " right, 0 wrong", "in memory")
	if status != 0 {
		t.Errorf("status %d\n%s", status, text)
	}
}
