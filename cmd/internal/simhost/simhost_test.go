package simhost_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"uswitch/cmd/internal/simhost"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// net is two simulated hosts on a switch.
//
//	RED 11.11.11.2 --+-- br0
//	BLUE 11.11.11.3 -+
type network struct {
	t      *testing.T
	host   *sim.Namespaces
	sw     *vswitch.Switch
	spaces map[string]tap.Namespace
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t, host: simhost.New(), spaces: map[string]tap.Namespace{}}
	n.sw = vswitch.New(vswitch.Config{Name: "br0", Tracer: new(trace.Tracer), Epoch: time.Now()})
	var ports sync.WaitGroup
	t.Cleanup(func() {
		if err := n.host.Close(); err != nil {
			t.Error(err)
		}
		ports.Wait()
	})
	for i, name := range []string{"RED", "BLUE"} {
		ns, err := n.host.Create("lab", name)
		if err != nil {
			t.Fatal(err)
		}
		n.spaces[name] = ns
		addr := netip.AddrFrom4([4]byte{11, 11, 11, byte(2 + i)})
		d, err := n.host.Open(ns, tap.Interface{Name: "eth0", MAC: frame.MACFromIPv4(addr), Addresses: []netip.Prefix{netip.PrefixFrom(addr, 24)}})
		if err != nil {
			t.Fatal(err)
		}
		port, err := n.sw.Attach(name, d, vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true})
		if err != nil {
			t.Fatal(err)
		}
		d.(*sim.Device).Push(port.Carry)
		ports.Go(func() { _ = port.Run() })
	}
	return n
}

// running is a program and what it has written so far.
type running struct {
	tap.Process
	mu  sync.Mutex
	out bytes.Buffer
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(b)
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// start starts a program on a host.
func (n *network) start(host, input string, argv ...string) *running {
	n.t.Helper()
	r := &running{}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), r, r
	p, err := n.host.Start(n.spaces[host], cmd)
	if err != nil {
		n.t.Fatal(err)
	}
	r.Process = p
	return r
}

// run runs a program to its end.
func (n *network) run(host string, argv ...string) (string, int) {
	n.t.Helper()
	r := n.start(host, "", argv...)
	status := r.Wait()
	return r.text(), status
}

func (n *network) wait(what string, is func() bool) {
	n.t.Helper()
	for range 2000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	n.t.Fatal("waited in vain for " + what)
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for _, c := range []struct {
		argv   []string
		status int
		want   string
	}{
		{[]string{"ping", "-c", "2", "-i", "0.01", "11.11.11.3"}, 0, "2 packets transmitted, 2 received, 0% packet loss"},
		{[]string{"ping", "-nqc1", "11.11.11.3"}, 0, "1 packets transmitted, 1 received"},
		{[]string{"ping", "-c", "1", "-W", "0.1", "11.11.11.9"}, 1, "0 received"},
		{[]string{"ping", "-c", "1", "8.8.8.8"}, 2, "ping: connect: Network is unreachable"},
		{[]string{"/usr/bin/ping", "-c1", "RED"}, 0, "bytes from 11.11.11.2"},
		{[]string{"ping", "-c1"}, 2, "ping: usage error"},
		{[]string{"uswitch", "ping", "-c1", "11.11.11.3", "11.11.11.2"}, 0, "--- 11.11.11.2 ping statistics ---"},
		{[]string{"arping", "-c", "1", "11.11.11.3"}, 0, "Unicast reply from 11.11.11.3 [02:42:0b:0b:0b:03]"},
		{[]string{"ip", "addr", "show", "eth0"}, 0, "inet 11.11.11.2/24 brd 11.11.11.255 scope global eth0"},
		{[]string{"ip", "-br", "a"}, 0, "eth0             UP             11.11.11.2/24"},
		{[]string{"ip", "route"}, 0, "11.11.11.0/24 dev eth0 proto kernel scope link src 11.11.11.2"},
		{[]string{"ip", "route", "add", "default", "via", "12.0.0.1"}, 2, "Nexthop has invalid gateway"},
		{[]string{"ip", "neigh"}, 0, "11.11.11.3 dev eth0 lladdr 02:42:0b:0b:0b:03 "},
		{[]string{"route", "-n"}, 0, "11.11.11.0      0.0.0.0         255.255.255.0"},
		{[]string{"arp", "-n"}, 0, "11.11.11.3"},
		{[]string{"hostname"}, 0, "RED\n"},
		{[]string{"cat", "/etc/hosts"}, 0, "11.11.11.2\tRED"},
		{[]string{"cat", "/proc/sys/net/ipv4/ip_forward"}, 0, "0\n"},
		{[]string{"cat", "/etc/shadow"}, 1, "a simulated host has no such file"},
		{[]string{"getent", "hosts", "RED"}, 0, "11.11.11.2      RED"},
		{[]string{"traceroute", "-n", "11.11.11.3"}, 0, " 1  11.11.11.3"},
		{[]string{"curl", "-s", "-S", "http://11.11.11.3/"}, 7, "curl: (7) Failed to connect to 11.11.11.3 port 80 after"},
		{[]string{"nc", "-zv", "11.11.11.3", "80"}, 1, "Connection refused"},
		{[]string{"true"}, 0, ""},
		{[]string{"false"}, 1, ""},
		{[]string{"sh", "-c", "echo a; true && echo b || echo c; X=1 sh -c 'echo $X$0$1' q r; exit 7"}, 7, "a\nb\n1qr\n"},
		{[]string{"sh", "-c", "for i in 1 2; do ping -qc1 11.11.11.3 >/dev/null && echo $i; done"}, 0, "1\n2\n"},
		{[]string{"sh", "-c", "vim"}, 127, "vim cannot be simulated; what can is arp, arping"},
		{[]string{"sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"}, 1, "cannot be changed on a simulated host"},
	} {
		t.Run(strings.Join(c.argv, " "), func(t *testing.T) {
			out, status := n.run("RED", c.argv...)
			if status != c.status || !strings.Contains(out, c.want) {
				t.Errorf("status %d, want %d; want %q in:\n%s", status, c.status, c.want, out)
			}
		})
	}
}

// TestServe: a page, asked for by name and number, while the server logs; SIGTERM ends it.
func TestServe(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	server := n.start("BLUE", "", "uswitch", "serve", "-p", "8080")
	n.wait("the server", func() bool { return strings.Contains(server.text(), "serving on port 8080") })
	if out, status := n.run("BLUE", "uswitch", "serve", "-p", "8080"); status != 1 || !strings.Contains(out, "in use") {
		t.Errorf("a second server: status %d: %s", status, out)
	}
	out, status := n.run("RED", "curl", "-s", "http://11.11.11.3:8080/x")
	if status != 0 || !strings.HasPrefix(out, "Hello from BLUE at 11.11.11.3:8080.\nYou are 11.11.11.2:") {
		t.Errorf("status %d: %s", status, out)
	}
	if !strings.Contains(server.text(), `GET "/x" from 11.11.11.2:`) {
		t.Errorf("the server's log: %s", server.text())
	}
	state, err := n.host.State(n.spaces["BLUE"])
	if err != nil || len(state.TCP) != 1 || state.TCP[0] != 8080 {
		t.Errorf("listening: %v, %v", state.TCP, err)
	}
	_ = server.Signal(syscall.SIGTERM)
	if status := server.Wait(); status != 0 {
		t.Errorf("the server's status: %d", status)
	}
	if out, status := n.run("RED", "curl", "http://11.11.11.3:8080/"); status != 7 {
		t.Errorf("a server that is gone: status %d: %s", status, out)
	}
}

// TestNC carries more than fits any window, both ways.
func TestNC(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	text := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	server := n.start("BLUE", text, "nc", "-l", "-v", "9000")
	n.wait("the server", func() bool { return strings.Contains(server.text(), "Listening") })
	client := n.start("RED", text, "nc", "-N", "11.11.11.3", "9000")
	if status := client.Wait(); status != 0 || client.text() != text {
		t.Errorf("status %d, %d bytes", status, len(client.text()))
	}
	if status := server.Wait(); status != 0 || !strings.HasSuffix(server.text(), text) {
		t.Errorf("status %d, %d bytes", status, len(server.text()))
	}
}

// TestSignals: what ping and others make of being ended.
func TestSignals(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	ping := n.start("RED", "", "ping", "11.11.11.3")
	n.wait("an answer", func() bool { return strings.Contains(ping.text(), "icmp_seq=1") })
	_ = ping.Signal(syscall.SIGINT)
	if status := ping.Wait(); status != 0 || !strings.Contains(ping.text(), "1 received") {
		t.Errorf("status %d: %s", status, ping.text())
	}
	for _, argv := range [][]string{{"sleep", "infinity"}, {"ping", "11.11.11.3"}, {"sh", "-c", "sleep 1000; echo no"}, {"nc", "-l", "9"}, {"cat"}} {
		p := n.start("RED", "", argv...)
		if argv[0] == "cat" {
			continue
		}
		_ = p.Signal(syscall.SIGTERM)
		if status := p.Wait(); status != 143 {
			t.Errorf("%v: status %d", argv, status)
		}
	}
}

// TestFilesAreTheProgramsOwn: whoever starts a program closes its files at once, as exec.Cmd allows; a shell whose input is broken ends.
func TestFilesAreTheProgramsOwn(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	in, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, write, write
	p, err := n.host.Start(n.spaces["RED"], cmd)
	in.Close()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := io.WriteString(typed, "hostname\n"); err != nil {
			t.Fatal(err)
		}
	}
	typed.Close()
	said, err := io.ReadAll(out) // which ends as the program has closed its own
	if status := p.Wait(); status != 0 || err != nil || strings.Count(string(said), "RED\n") != 3 {
		t.Errorf("status %d, %v: %q", status, err, said)
	}
	broken := exec.Command("sh")
	broken.Stdin = iotest.ErrReader(errors.New("broken"))
	if p, err = n.host.Start(n.spaces["RED"], broken); err != nil {
		t.Fatal(err)
	}
	if status := p.Wait(); status != 2 {
		t.Errorf("a shell with a broken input: status %d", status)
	}
}

// TestShellForAPerson: a command at a time, and Ctrl-C ends the command and not the shell.
func TestShellForAPerson(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	out := n.start("RED", "echo one\nif true\nthen echo two; fi\nexit 3\n", "sh")
	if status := out.Wait(); status != 3 || out.text() != "[RED] # one\n[RED] # > two\n[RED] # " {
		t.Errorf("status %d: %q", status, out.text())
	}
	sh := n.start("RED", "sleep 1000\n)\necho over\n", "sh")
	n.wait("the prompt", func() bool { return sh.text() != "" })
	n.wait("the end of sleep", func() bool {
		_ = sh.Signal(syscall.SIGINT)
		return strings.Contains(sh.text(), "] # over\n")
	})
	if status := sh.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
}
