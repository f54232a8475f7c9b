package test

import (
	"os"
	"strings"
	"testing"
)

// The labs that come with uswitch do what their comments say.

// builtin returns a built-in lab's file with names of the test's own in it.
func builtin(t *testing.T, name string, hosts ...string) string {
	t.Helper()
	text, err := os.ReadFile("../cmd/internal/plan/builtin/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := strings.Replace(string(text), "\nname: "+name+"\n", "\nname: lab@\n", 1)
	for _, h := range hosts {
		file = strings.Replace(file, "\n  "+h+":\n", "\n  "+h+"@:\n", 1)
	}
	return file
}

func TestBuiltinRedBlue(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, builtin(t, "red-blue", "RED", "BLUE"))
	l.process = begin(t, uswitch, "run", l.file)
	t.Cleanup(l.stop)
	if status := l.waitOutput(); status != 0 {
		t.Errorf("status %d", status)
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(l.stdout.String(), l.suffix, "")), " ")
	contains(t, text,
		"bytes from 11.11.11.3: icmp_seq=1 ttl=64", "bytes from 11.11.11.1: icmp_seq=1 ttl=64", "bytes from 8.8.8.8: icmp_seq=1 ttl=61",
		"flood", "11.11.11.3 is at 02:42:0b:0b:0b:03", "to BLUE only: learned",
		"MASQUERADE", "known by its reply tuple", "becomes 11.11.11.2")
}

func TestBuiltinTwoNetworks(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, builtin(t, "two-networks", "ALICE", "BOB"))
	for _, dst := range []string{"10.2.0.2", "10.1.0.2"} {
		e := l.event("drop of the ping of "+dst, func(e event) bool { return e.Hook == "forward" && e.Reason == "policy-drop" && e.Before.Dst == dst })
		if e.Rule != "-P FORWARD DROP" {
			t.Errorf("%s: the trace names %q", dst, e.Rule)
		}
	}
	for _, e := range l.events(func(e event) bool { return e.EtherType == "0x0806" && e.Hook == "egress" }) {
		if e.Where == "front" && e.Port != "ALICE" || e.Where == "back" && e.Port != "BOB" {
			t.Errorf("a frame has crossed: %+v", e)
		}
	}
	ping := func() bool {
		_, _, status := l.try("exec", l.ns("ALICE"), "--", "uswitch", "ping", "-c", "1", "10.2.0.2")
		return status == 0
	}
	l.iptables("-A FORWARD -s 10.1.0.0/24 -d 10.2.0.0/24 -j ACCEPT")
	from := l.stdout.count()
	if ping() {
		t.Error("the answer came back, without a rule for it")
	}
	l.eventFrom(from, "BOB is asked", func(e event) bool { return e.Hook == "egress" && e.Port == "BOB" && e.EtherType == "0x0800" })
	l.eventFrom(from, "drop of his answer", func(e event) bool {
		return e.Hook == "forward" && e.Reason == "policy-drop" && e.Before.Dst == "10.1.0.2"
	})
	l.iptables("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
	if !ping() {
		t.Error("ALICE's ping fails, with both rules")
	}
	if _, _, status := l.try("exec", l.ns("BOB"), "--", "uswitch", "ping", "-c", "1", "-W", "1", "10.1.0.2"); status == 0 {
		t.Error("BOB's ping of ALICE works, for which there is no rule")
	}
}

func TestBuiltinWeb(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, builtin(t, "web", "WEB", "CLIENT"))
	eventually(t, "the server listens", func() bool { return s.firstByte("HOST", "127.0.0.1:8080") == "silence" })
	for _, way := range []struct{ name, from, url, rule string }{
		{"from outside, this machine", "HOST", "http://127.0.0.1:8080/", "DNAT"},
		{"from outside, another one", "NET", "http://192.168.104.2:8080/", "DNAT"},
		{"from inside, by the gateway's address", "CLIENT", "http://10.1.0.1:8080/", "DNAT"},
	} {
		from := s.stdout.count()
		page := must(t, s.in(way.from, "curl", "-s", "-S", "-m", "5", way.url)...)
		if strings.TrimSpace(page) == "" {
			t.Errorf("%s: an empty page", way.name)
		}
		s.eventFrom(from, way.name+": rule", func(e event) bool { return strings.Contains(e.Rule, way.rule) })
	}
	contains(t, s.stderr.String(), "0.0.0.0:8080")
	from := s.stdout.count()
	if text, status := output(t, s.in("CLIENT", "curl", "-s", "-m", "2", "http://10.2.0.2/")...); status == 0 {
		t.Errorf("from another network directly: %s", text)
	}
	s.eventFrom(from, "drop of what is not published", func(e event) bool {
		return e.Verdict == "drop" && e.Rule == "-A PREROUTING -d 10.2.0.2/32 ! -i back -j DROP"
	})
}
