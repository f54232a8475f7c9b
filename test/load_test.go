package test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// One noisy host starves nobody, and what it makes uswitch spend has an end.

// curlFast is how long a curl beside the noise may take, in seconds, for curl to give up.
const curlFast = "5"

func TestF36BlackHoleDials(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.sayWho("NET", ":80", "")
	var dials sync.WaitGroup
	for range 200 {
		dials.Go(func() {
			if _, err := s.dial("RED", "tcp4", "", blackIP+":80", 3*time.Second); explain(err) != "silence" {
				t.Errorf("a black hole says: %s", explain(err))
			}
		})
	}
	eventually(t, "200 dials are under way", func() bool { return strings.Count(s.conntrack("-L", "-p", "tcp"), "SYN_SENT") >= 200 })
	for _, host := range []string{"RED", "BLUE"} {
		if got := s.asksTCP(host, siteIP, "-m", curlFast); withoutPort(got) != hostIP {
			t.Errorf("beside them, from %s: %s", host, got)
		}
	}
	dials.Wait()
}

// TestF36SYNFlood: a flood at the gateway, at a published port and at the outside; then everything goes on.
func TestF36SYNFlood(t *testing.T) {
	needs(t, "hping3", "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.sayWho("NET", ":80", "")
	s.sayWho("BLUE", ":80", "")
	for _, flood := range [][]string{
		{"RED", "-p", "80", siteIP}, {"RED", "-p", "23", gatewayIP}, {"NET", "-p", "8080", hostIP}, {"RED", "--rand-source", "-p", "80", siteIP},
	} {
		args := append([]string{"hping3", "-q", "-S", "-i", "u100", "-c", "20000"}, flood[1:]...)
		p := begin(t, s.in(flood[0], args...)...)
		if got := s.asksTCP("BLUE", siteIP, "-m", curlFast); withoutPort(got) != hostIP {
			t.Errorf("beside %v: %s", flood, got)
		}
		p.wait()
	}
	for host, to := range map[string]string{"RED": siteIP, "NET": hostIP + ":8080"} {
		eventually(t, host+" is served as before", func() bool { return strings.Contains(s.asksTCP(host, to), ":") })
	}
	if n := s.descriptors(); n > 700 {
		t.Errorf("%d file descriptors are open after the floods", n)
	}
}

// TestF46ManyUDPPorts: a resolver's pattern, each question from another port. Files stay bounded, and others are served.
// HOST gives out more ports than hosts usually do, or there would not be one outside for each.
func TestF46ManyUDPPorts(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := newSite(t, byHost, gatewayLab)
	s.out.shell(`ip netns exec HOST@ sysctl -qw net.ipv4.ip_local_port_range="1024 65535"`)
	s.start("--trace", "off")
	s.sayWho("NET", ":80", dnsIP+":53")
	before := s.descriptors()
	var most, answered, questions atomic.Int64
	var workers sync.WaitGroup
	for worker := range 10 {
		workers.Go(func() {
			within(t, s.ns("RED"), func() error {
				for port := 1024 + worker; port < 51024; port += 10 {
					ok, asked := asksFrom(port, dnsIP+":53")
					if questions.Add(int64(asked)); ok {
						answered.Add(1)
					}
					if port%500 == 0 {
						most.Store(max(most.Load(), int64(s.descriptors())))
					}
				}
				return nil
			})
		})
	}
	workers.Wait()
	t.Logf("%d of 50,000 source ports were served with %d questions; %d file descriptors before, %d at most",
		answered.Load(), questions.Load(), before, most.Load())
	if answered.Load() < 49000 {
		t.Errorf("only %d were served, with %d questions\n%s", answered.Load(), questions.Load(), s.tell("show", "drops"))
	}
	if most.Load() > int64(before)+600 {
		t.Errorf("%d file descriptors were open, want 512 more than %d at most, and some room", most.Load(), before)
	}
	if got := withoutPort(s.asksUDP("BLUE", "", dnsIP+":53")); got != hostIP {
		t.Errorf("BLUE, beside: %s\n%s", got, s.tell("show", "drops"))
	}
}

// asksFrom asks from a port until there is an answer, as resolvers do: a question or an answer may get lost where a queue is
// full, and on a busy machine an answer may take its time.
func asksFrom(port int, to string) (answered bool, questions int) {
	d := net.Dialer{LocalAddr: &net.UDPAddr{Port: port}}
	c, err := d.Dial("udp4", to)
	if err != nil {
		return false, 0
	}
	defer c.Close()
	for questions = 1; questions <= 10; questions++ {
		_, _ = c.Write([]byte("x"))
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err = c.Read(make([]byte, 100)); err == nil {
			return true, questions
		}
	}
	return false, questions
}

// TestF41TenThousand: 10,000 connections that are open at once, each of which works, and what they cost.
func TestF41TenThousand(t *testing.T) {
	if testing.Short() {
		skip(t, "a run without -short")
	}
	needs(t, "nsenter")
	const connections = 10000
	s := newSite(t, byHost, gatewayLab)
	s.start("--trace", "off")
	server := begin(t, s.in("NET", "env", echoVariable+"=:7000", os.Args[0], "-test.run=^TestEchoServer$", "-test.timeout=0")...)
	server.stdout.find(t, 0, "sign that the server listens", containing("listening"))
	memory, files := s.memory(), s.descriptors()
	var mu sync.Mutex
	var open []net.Conn
	var failed int
	var dialers sync.WaitGroup
	for worker := range 20 {
		dialers.Go(func() {
			host := []string{"RED", "BLUE"}[worker%2] // each has its own limit
			for range connections / 20 {
				c, err := s.dial(host, "tcp4", "", siteIP+":7000", patience)
				mu.Lock()
				if err == nil {
					open = append(open, c)
				} else if failed++; failed == 1 {
					t.Errorf("a dial: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	dialers.Wait()
	for i, c := range open {
		if err := says(c, fmt.Sprint(i)); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	grown, more := s.memory()-memory, s.descriptors()-files
	t.Logf("%d connections: %d KiB each, %d file descriptors in all", len(open), grown/max(len(open), 1), more)
	if len(open) != connections || more > connections+100 {
		t.Errorf("%d connections work, with %d file descriptors; want %d, and one each", len(open), more, connections)
	}
	if per := grown / connections; per > 64 {
		t.Errorf("%d KiB for each connection that is idle, want 64 at most", per)
	}
}

// echoVariable says where TestEchoServer listens.
const echoVariable = "USWITCH_TEST_ECHO"

// TestEchoServer is no test: it is the other end of TestF41TenThousand, which has a process of its own, since the limit
// on open files is one process's.
func TestEchoServer(t *testing.T) {
	at := os.Getenv(echoVariable)
	if at == "" {
		return
	}
	l, err := net.Listen("tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go echoStream(c.(*net.TCPConn))
	}
}

func echoStream(c *net.TCPConn) {
	b := make([]byte, 100)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		_, _ = c.Write(b[:n])
	}
}

// says sends a word and wants it back.
func says(c net.Conn, word string) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(word)); err != nil {
		return err
	}
	b := make([]byte, len(word))
	for n := 0; n < len(b); {
		more, err := c.Read(b[n:])
		if err != nil {
			return err
		}
		n += more
	}
	if string(b) != word {
		return fmt.Errorf("%q came back for %q", b, word)
	}
	return nil
}

// TestF44FewFiles: a process that may have few files keeps some for its commands, and refuses flows.
func TestF44FewFiles(t *testing.T) {
	needs(t, "prlimit", "curl", "nsenter")
	t.Parallel()
	s := newSite(t, byHost, gatewayLab)
	s.startAs([]string{"prlimit", "--nofile=100:100", uswitch}, "--trace", "off")
	s.serve("NET", ":7000", func(c *net.TCPConn) { echoStream(c) })
	living := s.connect("BLUE", siteIP+":7000")
	open, refused := s.dialMany(80)
	if refused == 0 || len(open) == 0 {
		t.Errorf("%d connections were opened, %d refused; want some of both", len(open), refused)
	}
	if err := says(living, "still there"); err != nil {
		t.Errorf("the connection that was there: %v", err)
	}
	contains(t, s.conntrack("-L", "-p", "tcp", "-s", blueIP), "ESTABLISHED")
	for _, c := range open {
		c.Close()
	}
	eventually(t, "there is room again", func() bool {
		c, err := s.dial("RED", "tcp4", "", siteIP+":7000", time.Second)
		return err == nil && says(c, "hello") == nil
	})
}

// TestF44NoFilesLeft: the limit is taken away while it runs. What is there lives, nothing spins, and it recovers.
func TestF44NoFilesLeft(t *testing.T) {
	needs(t, "prlimit", "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.serve("NET", ":7000", func(c *net.TCPConn) { echoStream(c) })
	s.sayWho("BLUE", ":80", "")
	living := s.connect("BLUE", siteIP+":7000")
	if err := says(living, "hello"); err != nil {
		t.Fatal(err)
	}
	must(t, "prlimit", "--pid", fmt.Sprint(s.cmd.Process.Pid), fmt.Sprintf("--nofile=%d", s.descriptors()+20))
	open, refused := s.dialMany(40)
	if refused == 0 || len(open) == 0 {
		t.Errorf("%d connections were opened, %d refused; want some of both", len(open), refused)
	}
	if err := says(living, "still there"); err != nil {
		t.Errorf("the connection that was there: %v", err)
	}
	s.asksTCP("NET", hostIP+":8080", "-m", "1") // nothing can be accepted
	used := s.cpu()
	time.Sleep(time.Second)
	if spent := s.cpu() - used; spent > 50 {
		t.Errorf("%d hundredths of a second of CPU within one second", spent)
	}
	for _, c := range open {
		c.Close()
	}
	eventually(t, "there is room again", func() bool {
		return withoutPort(s.asksTCP("NET", hostIP+":8080", "-m", "2")) == netIP
	})
	contains(t, s.conntrack("-L", "-p", "tcp", "-s", blueIP), "ESTABLISHED")
}

// dialMany opens connections from RED.
func (l *lab) dialMany(n int) (open []net.Conn, refused int) {
	l.t.Helper()
	for range n {
		if c, err := l.dial("RED", "tcp4", "", siteIP+":7000", 200*time.Millisecond); err != nil {
			refused++
		} else {
			open = append(open, c)
		}
	}
	return open, refused
}

// cpu is what a process has used, in hundredths of a second (proc(5)).
func (p *process) cpu() (ticks int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	for _, f := range fields[11:13] {
		n, _, _ := number(f)
		ticks += n
	}
	return ticks
}

// TestIperf: iperf3 both ways and UDP, which checks its own sequence.
func TestIperf(t *testing.T) {
	needs(t, "iperf3", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, strings.Replace(gatewayLab, `"8080:80"`, `"5201:5201", "5201:5201/udp"`, 1), "--trace", "off")
	for host, clients := range map[string][][]string{
		"NET":  {{"RED", netIP}, {"RED", netIP, "-R"}, {"RED", netIP, "-u", "-b", "20M"}, {"RED", netIP, "-P", "8"}},
		"BLUE": {{"NET", hostIP}, {"NET", hostIP, "-R"}, {"NET", hostIP, "-u", "-b", "20M"}, {"RED", hostIP}},
	} {
		server := begin(t, s.in(host, "iperf3", "-s", "--forceflush")...)
		seen := 0
		for _, c := range clients {
			server.stdout.find(t, seen, "sign that iperf3 listens", containing("listening"))
			seen = server.stdout.count()
			argv := append([]string{"iperf3", "-t", "1", "-c", c[1]}, c[2:]...)
			text, status := output(t, s.in(c[0], argv...)...)
			if status != 0 || !strings.Contains(text, "receiver") {
				t.Errorf("%s %v: status %d\n%s", c[0], argv, status, text)
			}
		}
		server.kill()
	}
}
