package test

import (
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// explain says in a few words how a connection failed.
func explain(err error) string {
	var timeout net.Error
	for _, known := range []struct {
		err  error
		name string
	}{
		{syscall.ECONNREFUSED, "refused"}, {syscall.ECONNRESET, "reset"}, {syscall.EPIPE, "reset"},
		{syscall.EHOSTUNREACH, "host unreachable"}, {syscall.ENETUNREACH, "net unreachable"},
		{syscall.EACCES, "prohibited"}, {io.EOF, "end"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	switch {
	case err == nil:
		return "well"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "silence"
	}
	return err.Error()
}

var (
	pingAnswer = regexp.MustCompile(`(?m)^(\d+) bytes from (\S+): icmp_seq=\d+ (ttl=\d+)`)
	pingError  = regexp.MustCompile(`(?m)^(?:From (\S+)|ping:) (?:icmp_seq=\d+ )?(.*)$`)
)

// ping returns what one ping came to: an answer, an error and whose, or silence.
func (l *lab) ping(host string, args ...string) string {
	l.t.Helper()
	text, _ := output(l.t, l.in(host, append([]string{"ping", "-n", "-c", "1", "-W", "5"}, args...)...)...)
	if m := pingAnswer.FindStringSubmatch(text); m != nil {
		return strings.Join(m[1:], " ")
	}
	if m := pingError.FindStringSubmatch(text); m != nil {
		return strings.TrimSpace(m[1] + " " + m[2])
	}
	return "silence"
}

var hop = regexp.MustCompile(`(?m)^ *(\d+)[ .:|?-]+ *(\S+)`)

// hops returns the hops that traceroute, tracepath or mtr prints: one address each, or a star.
func (l *lab) hops(host string, argv ...string) string {
	l.t.Helper()
	text, status := output(l.t, l.in(host, argv...)...)
	var seen []string
	for _, m := range hop.FindAllStringSubmatch(text, -1) {
		seen = append(seen, m[1]+" "+m[2])
	}
	if status != 0 || len(seen) == 0 {
		return text
	}
	return strings.Join(seen, ", ")
}

// TestExplainNameServer: the gateway's own name server answers, and no copy of a lab has one: what it says is not known, never
// "nobody answers there"; a real question settles it. What keeps the question from it is said all the same.
func TestExplainNameServer(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	for _, protocol := range []string{"--udp", "--tcp"} {
		out, errs, _ := l.try("explain", l.ns("RED"), gatewayIP, protocol, "53")
		contains(t, out+errs, "As far as the switch can see", "the gateway's own service has the question")
	}
	if out, errs, _ := l.try("explain", l.ns("RED"), gatewayIP, "--tcp", "53", "--send"); !strings.Contains(out, "a real packet was answered") || strings.Contains(out, "DIFFERS") {
		t.Errorf("with a real packet: %s%s", out, errs)
	}
	out, _, _ := l.try("explain", l.ns("RED"), gatewayIP, "--udp", "99")
	contains(t, out, "nothing at the gateway listens on this port")
	l.do("iptables", "-A", "INPUT", "-p", "udp", "--dport", "53", "-j", "DROP")
	out, _, _ = l.try("explain", l.ns("RED"), gatewayIP, "--udp", "53")
	contains(t, out, "a rule says DROP")
}

// TestExplainFromTheMachine: the machine that the gateway is asks, by its own routes and its OUTPUT chain; a real packet of its own decides.
// A question can be from a port of one's choosing, which the trace then has.
func TestExplainFromTheMachine(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	for _, who := range []string{"host", "gateway"} {
		out, errs, _ := l.try("explain", who, l.ns("RED"), "--send")
		contains(t, oneLine(out+errs), "It works: gateway reaches", "a real packet was answered")
	}
	out, errs, _ := l.try("explain", "host", l.ns("RED"), "--tcp", "81", "--send")
	contains(t, oneLine(out+errs), "nobody in "+l.ns("RED")+" listens on TCP port 81", "a real packet was not answered", "connection refused")
	l.do("iptables", "-A", "OUTPUT", "-d", redIP, "-p", "icmp", "-j", "DROP")
	out, errs, _ = l.try("explain", "host", l.ns("RED"), "--send")
	contains(t, oneLine(out+errs), "The question does not leave gateway", "a real packet was not answered")
	if text, status := output(t, uswitch, "ping", "--lab", l.name, "-c", "1", "-W", "1", redIP); status == 0 {
		t.Errorf("uswitch ping gets through all the same: %s", text)
	}
	out, errs, _ = l.try("why-not", "host", l.ns("RED"))
	contains(t, oneLine(out+errs), "uswitch iptables")
	begin(t, uswitch, "exec", "--lab", l.name, l.ns("BLUE"), "--", uswitch, "serve", "-p", "80")
	eventually(t, "the server answers a question from a chosen port", func() bool {
		out, errs, _ = l.try("explain", l.ns("RED"), l.ns("BLUE"), "--tcp", "80", "--from-port", "4711", "--send")
		return strings.Contains(oneLine(out+errs), "TCP port 80 from port 4711") && strings.Contains(oneLine(out+errs), "a real packet was answered")
	})
}

// TestExplainPacket: a packet that came by is asked about by its number: what happened to it, and what would happen now.
func TestExplainPacket(t *testing.T) {
	t.Parallel()
	m := newMemory(t, inMemory)
	m.up("--trace", "text")
	m.do("exec", "RED", "--", "ping", "-c", "1", "8.8.8.8")
	number := regexp.MustCompile(`#(\d+) +RED > 8\.8\.8\.8 +ICMP`).FindStringSubmatch(m.stdout.find(t, 0, "the ping in the trace", regexp.MustCompile(`#\d+ +RED > 8\.8\.8\.8 +ICMP`).MatchString))[1]
	out := oneLine(m.do("explain", "--packet", number))
	contains(t, out, "MASQUERADE", "What would happen now", "It works: RED reaches 8.8.8.8")
	m.do("iptables", "-I", "FORWARD", "-p", "icmp", "-j", "DROP")
	out = oneLine(m.do("explain", "--packet", number))
	contains(t, out, "handed to the outside", "The question ends at gateway (forward): a rule says DROP.")
	for args, says := range map[string]string{"--packet 99999": "99999", "--packet 1 RED": "the packet says", "--packet 1": "only packets of IPv4"} {
		if out, status := m.try("", append([]string{"explain"}, strings.Fields(args)...)...); status == 0 || !strings.Contains(out, says) {
			t.Errorf("explain %s: status %d: %s", args, status, out)
		}
	}
}
