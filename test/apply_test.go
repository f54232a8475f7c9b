package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Labs that become others while they are up.
//
//	F86  TestF86ApplyUnderTraffic  what has not changed goes on: a stream through the translation, pings, who is known where
//	F86  TestF86ApplySubnet        a network gets another subnet, with its hosts; the other network does not notice
//	F86  TestF86FailingApply       a change that fails is undone, with those before it
//	F85  TestF85ApplyWrongFiles    a wrong file changes nothing, and is told with line and key
//	F63  TestF63ApplyMany          a hundred hosts at once, there and gone again
//	     TestApplyCommands         a command is restarted when it is another one, and only then

// write puts another content into the lab's file.
func (l *lab) write(file string) {
	l.t.Helper()
	if err := os.WriteFile(l.file, []byte(l.own(file)), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// plan returns all that the lab is made from.
func (l *lab) plan() string {
	l.t.Helper()
	var raw json.RawMessage
	l.get("plan", &raw)
	return string(raw)
}

// ticking serves a line every 50 ms to whoever connects, in a namespace of the outside.
func (s *site) ticking(ns, port string) {
	s.t.Helper()
	argv := s.in(ns, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done | socat -u STDIN TCP-LISTEN:"+port+",reuseaddr")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // all of it ends with the test
	server := beginCommand(s.t, cmd)
	s.t.Cleanup(func() { _ = syscall.Kill(-server.cmd.Process.Pid, syscall.SIGKILL) })
	eventually(s.t, "socat listens", func() bool {
		text, _ := output(s.t, s.in(ns, "ss", "-Hlnt")...)
		return strings.Contains(text, ":"+port)
	})
}

func TestF86ApplyUnderTraffic(t *testing.T) {
	needs(t, "socat", "nsenter", "ss")
	t.Parallel()
	file := strings.ReplaceAll(gatewayLab, "UPLINK", "host")
	s := startSite(t, byHost, file)
	s.ticking("NET", "81")
	stream := begin(t, s.in("RED", "socat", "-u", "TCP:"+netIP+":81", "STDOUT")...)
	more := func(what string) {
		t.Helper()
		n := stream.stdout.count()
		eventually(t, "the stream goes on "+what, func() bool { return stream.stdout.count() > n+3 })
	}
	more("at first")
	probe := s.probe("RED", blueIP)
	red := s.exec("RED", "readlink", "/proc/self/ns/net")
	if !s.pings("WEB", netIP) || !strings.Contains(s.tell("conntrack", "-L"), webIP) {
		t.Error("WEB does not reach the outside")
	}

	s.write(strings.NewReplacer(
		"  br1: {ipam: {config: [{subnet: 10.2.0.0/24}]}}\n", "  br2: {ipam: {config: [{subnet: 10.3.0.0/24}]}}\n",
		`  WEB@: {networks: {br1: {ipv4_address: 10.2.0.2}}, ports: ["8082:80"]}`,
		`  GREEN@: {networks: [br0, br2], ports: ["8083:80"]}`).Replace(file))
	want := `- host WEB 10.2.0.2
- network br1 10.2.0.0/24
+ network br2 10.3.0.0/24
+ host GREEN 11.11.11.4 10.3.0.2
`
	if got := s.tell("apply", s.file, "--dry-run"); got != want {
		t.Errorf("it would do\n%s, want\n%s", got, want)
	}
	if _, err := os.Stat("/run/netns/" + s.ns("WEB")); err != nil {
		t.Error("--dry-run has done something: ", err)
	}
	if got := s.tell("apply", s.file); got != want {
		t.Errorf("it did\n%s, want\n%s", got, want)
	}
	more("while the lab becomes another one")
	if !s.pings("RED", greenIP) || !s.pings("GREEN", netIP) {
		t.Error("GREEN is not there")
	}
	if _, err := os.Stat("/run/netns/" + s.ns("WEB")); err == nil {
		t.Error("WEB is still there")
	}
	if conns := s.tell("conntrack", "-L"); strings.Contains(conns, webIP) || !strings.Contains(conns, redIP) {
		t.Errorf("want RED's connection, and none of WEB's:\n%s", conns)
	}
	s.sayWho("GREEN", ":80", "")
	if got := s.asksTCP("NET", hostIP+":8083"); !strings.HasPrefix(got, netIP+":") {
		t.Errorf("GREEN's port: %s", got)
	}
	if got := s.asksTCP("NET", hostIP+":8082"); !strings.HasPrefix(got, "curl: status 7") {
		t.Errorf("WEB's port: %s; want it closed", got)
	}

	s.write(file)
	s.do("apply", s.file)
	more("when all is as it was")
	if now := s.exec("RED", "readlink", "/proc/self/ns/net"); now != red {
		t.Errorf("RED is in %s, and was in %s", now, red)
	}
	if !s.pings("WEB", netIP) {
		t.Error("WEB is not there again")
	}
	probe.lostNothing()
}

func TestF86ApplySubnet(t *testing.T) {
	needs(t, "socat", "nsenter", "ss", "curl")
	t.Parallel()
	file := strings.ReplaceAll(gatewayLab, "UPLINK", "host")
	s := startSite(t, byHost, file)
	s.ticking("NET", "81")
	stream := begin(t, s.in("RED", "socat", "-u", "TCP:"+netIP+":81", "STDOUT")...)
	probe := s.probe("RED", blueIP)
	s.write(strings.ReplaceAll(file, "10.2.0.", "10.9.9."))
	contains(t, s.tell("apply", s.file), "10.9.9.0/24", "10.9.9.2")
	contains(t, s.exec("WEB", "ip", "-4", "addr", "show", "eth0"), "10.9.9.2/24")
	contains(t, s.exec("WEB", "ip", "route"), "default via 10.9.9.1 dev eth0")
	if rules := s.iptables("-t nat -S"); strings.Contains(rules, "10.2.0.") || !strings.Contains(rules, "-s 10.9.9.0/24 ") {
		t.Errorf("the rules are\n%s", rules)
	}
	s.sayWho("WEB", ":80", "")
	if got := withoutPort(s.asksTCP("NET", hostIP+":8082")); got != netIP {
		t.Errorf("WEB's published port: %s", got)
	}
	if !s.pings("WEB", netIP) || !s.pings("RED", "10.9.9.1") {
		t.Error("the network with another subnet leads nowhere")
	}
	n := stream.stdout.count()
	eventually(t, "the stream goes on", func() bool { return stream.stdout.count() > n+3 })
	probe.lostNothing()
}

func TestF86FailingApply(t *testing.T) {
	needs(t)
	t.Parallel()
	other := newLab(t, "name: lab@\nnetworks: {br0: {ipam: {config: [{subnet: 11.12.0.0/24}]}}}\nservices: {PINK@: {networks: [br0]}}\n")
	other.up("--trace", "off")
	file := strings.ReplaceAll(threeHosts, "GREEN@: {", "GREEN@: {command: sleep 1000, ")
	l := newLab(t, file)
	l.up("--trace", "off")
	before, probe := l.plan(), l.probe("RED", blueIP)

	// GREEN goes, RED gets another address on the way, and then the namespace of the new host is somebody else's.
	l.write(strings.NewReplacer("  GREEN@: {command: sleep 1000, networks: {br0: {ipv4_address: 11.11.11.4}}}",
		"  "+other.ns("PINK")+": {networks: [br0]}").Replace(file))
	_, errs, status := l.try("apply", l.file)
	contains(t, errs, other.ns("PINK")+": ", "lab "+other.name, "the lab is as before, but began anew: "+l.ns("GREEN")+"\n")
	if status != 1 {
		t.Errorf("status %d", status)
	}
	if after := l.plan(); after != before {
		t.Errorf("the lab is\n%s, and was\n%s", after, before)
	}
	if !l.pings("GREEN", redIP) || !strings.Contains(l.do("show", "hosts"), "sleep 1000") {
		t.Error("GREEN is not there again")
	}
	probe.lostNothing()
}

func TestF85ApplyWrongFiles(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	before := l.plan()
	for _, test := range []struct{ name, file, want string }{
		{"no YAML", "services: [\n", "not YAML"},
		{"an unknown key", strings.ReplaceAll(threeHosts, "{uplink: none}", "{uplnk: none}"), ":9: x-uswitch.uplnk: no such key"},
		{"a wrong type", strings.ReplaceAll(threeHosts, "RED@: {networks", "RED@: {command: {}, networks"), ":6: services." + l.ns("RED") + ".command"},
		{"one name twice", threeHosts + "name: other\n", ":10: "},
		{"a bomb", "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nservices: {RED: {command: [*e,*e]}}\n", ""},
		{"another way out", strings.ReplaceAll(threeHosts, "{uplink: none}", "{uplink: sim}"), "uplink (none -> sim) cannot change while lab " + l.name + " is up"},
		{"an address twice", strings.ReplaceAll(threeHosts, "11.11.11.4", "11.11.11.3"), "Address already in use"},
		{"a host twice", strings.ReplaceAll(threeHosts, "GREEN@", "RED@"), ":8: "},
		{"nothing", "", ""},
		{"too large", threeHosts + "#" + strings.Repeat("x", 2<<20), "bytes long"},
		{"no such program", strings.ReplaceAll(threeHosts, "RED@: {", "RED@: {command: no-such-program, "), "no program no-such-program on this machine's PATH"},
		{"a bad rule", strings.ReplaceAll(threeHosts, "uplink: none", "uplink: none, rules: ['-A NOWHERE -j DROP']"), `x-uswitch.rules.0: "-A NOWHERE -j DROP"`},
	} {
		l.write(test.file)
		_, errs, status := l.try("apply", l.file)
		if status != 1 || !strings.Contains(errs, test.want) || strings.Contains(errs, "goroutine ") || strings.Contains(errs, "root:") {
			t.Errorf("%s: status %d: %s; want %s", test.name, status, errs, test.want)
		}
		if after := l.plan(); after != before {
			t.Fatalf("%s: the lab is\n%s, and was\n%s", test.name, after, before)
		}
	}
	l.write(strings.ReplaceAll(threeHosts, "GREEN@", "PINK@"))
	must(t, "chmod", "666", l.file)
	if _, errs, status := l.try("apply", l.file, "--dry-run"); status != 0 || !strings.Contains(errs, "everybody on this machine may change this file") {
		t.Errorf("a file that everybody may change: status %d: %s", status, errs)
	}
	if _, errs, status := l.try("apply", "/etc/shadow"); status != 1 || strings.Contains(errs, "root") {
		t.Errorf("a file that is none of a lab's: status %d: %s", status, errs)
	}
}

func TestF63ApplyMany(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	probe := l.probe("RED", blueIP)
	files := l.descriptors()
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, "  H%d@: {networks: [br0], command: 'sleep 1000'}\n", i)
	}
	for range 2 {
		l.write(strings.Replace(threeHosts, "x-uswitch:", many.String()+"x-uswitch:", 1))
		if got := l.do("apply", l.file); strings.Count(got, "+ host ") != 100 {
			t.Errorf("it did\n%s", got)
		}
		if !l.pings("H99", redIP) || l.behind("02:42:0b:0b:0b:68") != "H99" {
			t.Error("H99 does not reach RED")
		}
		l.write(threeHosts)
		if got := l.do("apply", l.file); strings.Count(got, "- host ") != 100 {
			t.Errorf("it did\n%s", got)
		}
		if port := l.behind("02:42:0b:0b:0b:68"); port != "" {
			t.Errorf("H99 is gone, and still known behind %s", port)
		}
	}
	if now := l.descriptors(); now > files+5 {
		t.Errorf("%d files are open, and were %d", now, files)
	}
	probe.lostNothing()
}

func TestApplyCommands(t *testing.T) {
	needs(t)
	t.Parallel()
	file := withCommands(`["sh", "-c", "echo one; exec sleep 1000"]`, `["sh", "-c", "echo other; exec sleep 1000"]`)
	l := newLab(t, file)
	l.up("--trace", "off")
	eventually(t, "both run", func() bool {
		return strings.Contains(l.stdout.String(), "one") && strings.Contains(l.stdout.String(), "other")
	})
	l.write(strings.ReplaceAll(file, "echo one", "echo two"))
	if got := l.tell("apply", l.file); got != "~ RED command restarted\n" {
		t.Errorf("it did: %s", got)
	}
	eventually(t, "the new command runs", func() bool { return strings.Contains(l.stdout.String(), "two") })
	if got := l.tell("apply", l.file); got != "nothing to change\n" {
		t.Errorf("it did: %s", got)
	}
	if n := strings.Count(l.stdout.String(), "other"); n != 1 {
		t.Errorf("the other command has begun %d times", n)
	}
	contains(t, l.tell("logs", l.ns("RED")), "RED | one\n", "RED | two\n")
}
