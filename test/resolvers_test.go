package test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// resolvedLab asks the resolvers of the machine for what is not its own. BLUE's port 53 is the machine's.
const resolvedLab = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
  br1: {internal: true, ipam: {config: [{subnet: 22.22.22.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}, ports: ["127.0.0.1:53:53/udp"]}
  PINK@: {networks: {br1: {ipv4_address: 22.22.22.2}}}
x-uswitch: {uplink: UPLINK, keep_up: true}
`

// resolver is a DNS server in a namespace. It answers a question for an address of n.example with n addresses.
type resolver struct {
	mu    sync.Mutex // guards asked
	asked []string   // address of who asks, and the name
}

// resolve starts a resolver; handle may answer otherwise, or not at all.
func resolve(t *testing.T, ns, addr string, handle func(w dns.ResponseWriter, q *dns.Msg) (done bool)) *resolver {
	t.Helper()
	r := &resolver{}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		from, _, _ := net.SplitHostPort(w.RemoteAddr().String())
		r.mu.Lock()
		r.asked = append(r.asked, from+" "+q.Question[0].Name)
		r.mu.Unlock()
		if handle != nil && handle(w, q) {
			return
		}
		_ = w.WriteMsg(answerTo(w, q))
	})
	udp, tcp := &dns.Server{Handler: handler}, &dns.Server{Handler: handler}
	within(t, ns, func() (err error) {
		udp.PacketConn, err = net.ListenPacket("udp4", addr+":53")
		return err
	})
	within(t, ns, func() (err error) {
		tcp.Listener, err = net.Listen("tcp4", addr+":53")
		return err
	})
	for _, s := range []*dns.Server{udp, tcp} {
		begun := make(chan struct{})
		s.NotifyStartedFunc = func() { close(begun) }
		go func() { _ = s.ActivateAndServe() }()
		<-begun
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return r
}

// answerTo is as large as the name says, and cut short where that is too much.
func answerTo(w dns.ResponseWriter, q *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(q)
	n := 0
	if _, err := fmt.Sscanf(q.Question[0].Name, "%d.example.", &n); err != nil {
		return reply.SetRcode(q, dns.RcodeNameError)
	}
	for i := range n {
		reply.Answer = append(reply.Answer, &dns.A{A: net.IPv4(10, 0, byte(i>>8), byte(i)),
			Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 9}})
	}
	if _, isUDP := w.LocalAddr().(*net.UDPAddr); isUDP {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		reply.Truncate(size)
	}
	return reply
}

// questions returns who has asked for what.
func (r *resolver) questions() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.asked, "; ")
}

// withResolvers brings a lab up in HOST, or with HOST's place taken by the gateway, whose machine has a resolv.conf of the
// test's own; what it returns changes that.
func withResolvers(t *testing.T, s *site, conf string) (change func(string)) {
	t.Helper()
	if s.way == byNetns {
		dir := "/etc/netns/" + s.ns("ISP")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			os.RemoveAll(dir)
			os.Remove(filepath.Dir(dir))
		})
		change = writer(t, dir+"/resolv.conf")
		change(conf)
		s.start("--trace", "off")
		return change
	}
	path := filepath.Join(t.TempDir(), "resolv.conf")
	change = writer(t, path)
	change(conf)
	// The mount is for this process alone, while names of namespaces are for everyone.
	s.startAs([]string{"unshare", "--mount", "--propagation", "unchanged", "sh", "-ec",
		`mount --make-slave /; mountpoint -q /etc/resolv.conf && mount --make-private /etc/resolv.conf; mount --bind "$0" /etc/resolv.conf; exec "$@"`,
		path, uswitch})
	return change
}

func writer(t *testing.T, path string) func(string) {
	return func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestResolvers: what is not the lab's goes to the machine's resolvers, wherever they are, and to others once it has others.
func TestResolvers(t *testing.T) {
	t.Parallel()
	needs(t, "dig", "unshare", "nsenter", "mountpoint", "ss")
	for _, way := range []string{byHost, byNetns} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, way, strings.ReplaceAll(resolvedLab, `, ports: ["127.0.0.1:53:53/udp"]`, ""))
			far := resolve(t, s.ns("NET"), dnsIP, nil)
			near := far
			first := "nameserver " + dnsIP + "\n"
			if way == byHost { // the machine's own loopback, as systemd-resolved has it
				near = resolve(t, s.ns("HOST"), "127.0.0.53", nil)
				first = "nameserver 127.0.0.53\n"
			}
			change := withResolvers(t, s, first)
			if got := s.dig("RED", "1.example"); got != "10.0.0.0" {
				t.Errorf("1.example: %q", got)
			}
			for _, question := range []string{"200.example", "200.example +tcp", "200.example +bufsize=4096"} {
				if got := len(strings.Fields(s.dig("RED", strings.Fields(question)...))); got != 200 {
					t.Errorf("%s: %d addresses", question, got)
				}
			}
			if got := s.digStatus("RED", "no.such.name"); got != "NXDOMAIN" {
				t.Errorf("no.such.name: %s", got)
			}
			if way == byNetns { // packets of the gateway itself
				if got := far.questions(); !strings.HasPrefix(got, hostIP+" 1.example.") {
					t.Errorf("asked by %s", got)
				}
			}

			// An internal network leaks nothing, and opens nothing.
			before := near.questions()
			for _, question := range []string{"2.example", "2.example +tcp", "-x 8.8.8.8"} {
				if got := s.digStatus("PINK", strings.Fields(question)...); got != "REFUSED" {
					t.Errorf("PINK asks for %s: %s", question, got)
				}
			}
			if got := near.questions(); got != before {
				t.Errorf("an internal network leaks: %s", strings.TrimPrefix(got, before))
			}
			if way == byHost {
				if out := must(t, "ip", "netns", "exec", s.ns("HOST"), "ss", "-Huna"); strings.Contains(out, dnsIP+":53") {
					t.Errorf("a socket is open:\n%s", out)
				}
			}

			if way == byHost {
				change("nameserver " + dnsIP + "\n")
				eventually(t, "the other resolver is asked", func() bool {
					return s.dig("RED", "3.example") != "" && strings.Contains(far.questions(), "3.example.")
				})
			}
			for text, what := range map[string]string{"": "an empty resolv.conf", "nameserver " + gatewayIP + "\n": "the name server itself",
				"nameserver " + blackIP + "\n": "a resolver that does not answer", "nameserver " + noneIP + "\n": "one that cannot be reached"} {
				change(text)
				time.Sleep(1100 * time.Millisecond) // which is how often it is looked at
				began := time.Now()
				if got := s.digStatus("RED", "+time=20", "4.example"); got != "SERVFAIL" || time.Since(began) > 10*time.Second {
					t.Errorf("%s: %s after %v", what, got, time.Since(began))
				}
			}
			if got := s.dig("RED", s.ns("BLUE")); got != blueIP {
				t.Errorf("the lab's own names meanwhile: %s", got)
			}
		})
	}
}

// TestResolverThatLies: garbage, other people's answers and half ones are no answers, and the next resolver is asked.
func TestResolverThatLies(t *testing.T) {
	t.Parallel()
	needs(t, "dig", "unshare", "nsenter", "mountpoint")
	s := newSite(t, byHost, strings.ReplaceAll(resolvedLab, `, ports: ["127.0.0.1:53:53/udp"]`, ""))
	resolve(t, s.ns("HOST"), "127.0.0.53", func(w dns.ResponseWriter, q *dns.Msg) bool {
		reply := answerTo(w, q)
		switch q.Question[0].Name {
		case "1.example.":
			_, _ = w.Write([]byte("this is no message"))
		case "2.example.":
			reply.Id++
			_ = w.WriteMsg(reply)
		case "3.example.":
			reply.Question[0].Name = "33.example."
			_ = w.WriteMsg(reply)
		case "4.example.":
			b, _ := reply.Pack()
			_, _ = w.Write(b[:len(b)-7])
		case "5.example.":
			_ = w.WriteMsg(reply.SetRcode(q, dns.RcodeServerFailure))
		}
		return true
	})
	resolve(t, s.ns("NET"), dnsIP, nil)
	withResolvers(t, s, "nameserver 127.0.0.53\r\nnameserver "+dnsIP+"\r\n")
	for _, name := range []string{"1.example", "2.example", "3.example", "4.example", "5.example"} {
		if got := s.dig("RED", name); len(strings.Fields(got)) != int(name[0]-'0') {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestResolverInTheLab: the machine's resolver is a host of the lab, which asks the lab's name server what it is asked.
func TestResolverInTheLab(t *testing.T) {
	t.Parallel()
	needs(t, "dig", "unshare", "nsenter", "mountpoint")
	s := newSite(t, byHost, resolvedLab)
	withResolvers(t, s, "nameserver 127.0.0.1\n")
	var around int
	var mu sync.Mutex
	resolve(t, s.ns("BLUE"), blueIP, func(w dns.ResponseWriter, q *dns.Msg) bool {
		mu.Lock()
		around++
		mu.Unlock()
		var reply *dns.Msg
		within(t, s.ns("BLUE"), func() (err error) {
			reply, _, err = (&dns.Client{Timeout: 5 * time.Second}).Exchange(q, gatewayIP+":53")
			return err
		})
		_ = w.WriteMsg(reply)
		return true
	})
	for range 3 {
		if got := s.digStatus("RED", "1.example"); got != "SERVFAIL" {
			t.Errorf("%s", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if around == 0 || around > 5 {
		t.Errorf("%d questions have gone round", around)
	}
}

// TestResolversOfAHost: dns: in the file says whom the name server asks for this host, here another host of the lab.
func TestResolversOfAHost(t *testing.T) {
	t.Parallel()
	needs(t, "dig")
	l := newLab(t, strings.NewReplacer(`, ports: ["127.0.0.1:53:53/udp"]`, "", "UPLINK", "sim",
		"RED@: {", "RED@: {dns: 11.11.11.3, dns_search: corp.example, ").Replace(resolvedLab))
	l.up("--trace", "off")
	resolve(t, l.ns("BLUE"), blueIP, nil)
	if got := l.dig("RED", "2.example"); got != "10.0.0.0 10.0.0.1" {
		t.Errorf("RED: %q", got)
	}
	if got := l.dig("BLUE", "example.com"); got != "93.184.216.34" {
		t.Errorf("BLUE: %q", got)
	}
	contains(t, l.inside("RED", "cat", "/etc/resolv.conf"), "nameserver 11.11.11.1\n", "search corp.example\n")
}
