package test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Labs in memory, with --sim, that live: everything is asked of them as of real ones, by a user without privileges.
//
//	TestInMemory          programs in the hosts, names, the way out, every table, rules, questions, changes; the end
//	TestInMemoryPublishes this machine asks for a page of a simulated host
//	TestInMemorySideBySide two labs with the same hosts and addresses
//	TestInMemoryRefuses   what a simulated lab cannot have
//
// RED 11.11.11.2 and BLUE 11.11.11.3 hang on br0; the gateway's way out is the internet in memory, or this machine's.
const inMemory = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE: {command: uswitch serve -p 80, networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch: {uplink: sim}
`

// memory is a lab in memory that a user without privileges runs, nobody where this test is root.
type memory struct {
	*process
	t       *testing.T
	program string
	file    string
	runtime string // XDG_RUNTIME_DIR
	name    string
}

// newMemory writes a lab file; nothing runs yet. In the end nothing may be left.
func newMemory(t *testing.T, file string) *memory {
	t.Helper()
	dir := t.TempDir()
	m := &memory{t: t, name: fmt.Sprintf("lab-%d-%d", os.Getpid(), labs.Add(1))}
	m.file = filepath.Join(dir, "lab.yaml")
	if err := os.WriteFile(m.file, []byte(strings.ReplaceAll(file, "lab@", m.name)), 0o600); err != nil {
		t.Fatal(err)
	}
	m.program, m.file = everybodys(t, m.file)
	m.runtime = filepath.Join(filepath.Dir(m.program), "run")
	if err := os.Mkdir(m.runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(m.runtime, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		left, _ := filepath.Glob(m.runtime + "/uswitch/*")
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		for pid, command := range processesOf(t, m.name) {
			t.Errorf("left running: process %d, %s", pid, command)
		}
		if now := links(); now != linksBefore {
			t.Errorf("links of the machine: %s; before the tests: %s", now, linksBefore)
		}
	})
	return m
}

// nobody is the number of the user without rights.
const nobody = 65534

// command is a call of uswitch by the user without privileges.
func (m *memory) command(args ...string) *exec.Cmd {
	cmd := exec.Command(m.program, args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+m.runtime, "USWITCH_LAB="+m.name)
	cmd.Dir = filepath.Dir(m.program)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// up runs the lab and waits until it answers.
func (m *memory) up(args ...string) {
	m.t.Helper()
	m.process = beginCommand(m.t, m.command(append([]string{"run", "--sim", m.file}, args...)...))
	m.t.Cleanup(func() {
		m.signal(syscall.SIGTERM)
		m.wait()
		for _, bad := range []string{"DATA RACE", "panic", "goroutine "} {
			if strings.Contains(m.stderr.String(), bad) {
				m.t.Errorf("the lab has written:\n%s", m.stderr)
				break
			}
		}
	})
	eventually(m.t, "the lab is up", func() bool {
		_, status := m.try("", "show", "hosts")
		return status == 0
	})
}

// try runs uswitch with an input, and returns all that it writes and its status.
func (m *memory) try(input string, args ...string) (string, int) {
	m.t.Helper()
	cmd := m.command(args...)
	cmd.Stdin = strings.NewReader(input)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// do runs uswitch, which must succeed.
func (m *memory) do(args ...string) string {
	m.t.Helper()
	out, status := m.try("", args...)
	if status != 0 {
		m.t.Errorf("uswitch %s: status %d:\n%s", strings.Join(args, " "), status, out)
	}
	return out
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	m := newMemory(t, inMemory)
	m.up("--trace", "text")
	red := func(args ...string) string {
		m.t.Helper()
		return m.do(append([]string{"exec", "RED", "--"}, args...)...)
	}

	// Programs inside, each with its packets in the trace.
	contains(t, red("ping", "-c", "1", "11.11.11.3"), "64 bytes from 11.11.11.3: icmp_seq=1 ttl=64")
	m.stdout.find(t, 0, "RED's question", func(line string) bool { return strings.Contains(line, "who has 11.11.11.3? tell 11.11.11.2") })
	contains(t, red("ip", "neigh"), "11.11.11.3 dev eth0 lladdr 02:42:0b:0b:0b:03")
	contains(t, red("ping", "-c", "1", "8.8.8.8"), "64 bytes from 8.8.8.8: icmp_seq=1 ttl=61")
	m.stdout.find(t, 0, "the translation", func(line string) bool { return strings.Contains(line, "MASQUERADE") })
	contains(t, red("curl", "-s", "http://11.11.11.3/"), "Hello from BLUE at 11.11.11.3:80.", "You are 11.11.11.2:")
	contains(t, red("curl", "-s", "http://example.com/"), "From here you look like 192.168.104.2:")
	contains(t, red("dig", "+short", "example.com"), "93.184.216.34\n")
	contains(t, red("traceroute", "-n", "8.8.8.8"), " 1  11.11.11.1", " 4  8.8.8.8")
	contains(t, red("sh", "-c", "cat /etc/hosts; hostname"), "11.11.11.2", "RED\n")
	if out, status := m.try("one\ntwo\n", "exec", "RED", "--", "cat"); status != 0 || out != "one\ntwo\n" {
		t.Errorf("cat: status %d: %q", status, out)
	}
	if out, status := m.try("hostname\nexit 3\n", "shell", "RED"); status != 3 || !strings.Contains(out, "RED\n") {
		t.Errorf("shell: status %d: %q", status, out)
	}
	for program, want := range map[string]int{"false": 1, "vim": 127} {
		if out, status := m.try("", "exec", "RED", "--", program); status != want {
			t.Errorf("%s: status %d:\n%s", program, status, out)
		}
	}

	// Every table.
	contains(t, m.do("show", "hosts"), "memory:RED", "running: uswitch serve -p 80")
	contains(t, m.do("show", "fdb"), "02:42:0b:0b:0b:02 dev RED master br0")
	contains(t, m.do("ip", "-br", "link"), "br0              UP")
	contains(t, m.do("show", "ports"), "BLUE")
	contains(t, m.do("ps"), m.name)

	// Questions, before and after a change, and what a real packet then does.
	contains(t, m.do("explain", "RED", "11.11.11.3", "--tcp", "80"), "It works")
	m.do("iptables", "-I", "FORWARD", "-d", "8.8.8.8", "-j", "DROP")
	contains(t, m.do("why-not", "RED", "8.8.8.8"), "FORWARD")
	contains(t, m.do("reach"), "BLUE")
	m.do("iptables", "-D", "FORWARD", "-d", "8.8.8.8", "-j", "DROP")
	red("ip", "route", "del", "default")
	contains(t, m.do("explain", "RED", "8.8.8.8"), "its kernel says `Network is unreachable`")
	red("ip", "route", "add", "default", "via", "11.11.11.1")
	red("ip", "link", "set", "eth0", "down")
	m.stderr.find(t, 0, "the interface is down", func(line string) bool { return strings.Contains(line, "RED: eth0 is down") })
	if out, status := m.try("", "exec", "RED", "--", "ping", "-c1", "-W1", "11.11.11.3"); status == 0 {
		t.Errorf("ping from an interface that is down:\n%s", out)
	}
	red("ip", "link", "set", "eth0", "up")
	red("ping", "-c1", "11.11.11.3")

	// Ctrl-C is for the program, whose client lives on to tell how it ended; a client that is killed takes it along.
	ping := beginCommand(t, m.command("exec", "RED", "--", "ping", "11.11.11.3"))
	ping.stdout.find(t, 0, "an answer", func(line string) bool { return strings.Contains(line, "icmp_seq=1") })
	ping.signal(syscall.SIGINT)
	if status := ping.waitOutput(); status != 0 || !strings.Contains(ping.stdout.String(), "0% packet loss") {
		t.Errorf("ping and Ctrl-C: status %d:\n%s", status, ping.stdout)
	}

	server := beginCommand(t, m.command("exec", "RED", "--", "uswitch", "serve", "-p", "99"))
	server.stdout.find(t, 0, "the server", func(line string) bool { return strings.Contains(line, "serving on port 99") })
	server.kill()
	eventually(t, "the server has gone with its client", func() bool {
		_, status := m.try("", "exec", "BLUE", "--", "curl", "-s", "http://11.11.11.2:99/")
		return status == 7
	})

	m.do("stop")
	if status := m.wait(); status != 0 {
		t.Errorf("the lab's status: %d\n%s", status, m.stderr)
	}
}

func TestInMemoryPublishes(t *testing.T) {
	t.Parallel()
	m := newMemory(t, strings.ReplaceAll(inMemory, "uplink: sim", "uplink: host"))
	m.up("--trace", "off")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	m.do("publish", "add", "BLUE", fmt.Sprintf("127.0.0.1:%d:80", port))
	contains(t, must(t, "curl", "-s", "--max-time", "20", fmt.Sprintf("http://127.0.0.1:%d/", port)), "Hello from BLUE at 11.11.11.3:80.")
	contains(t, m.do("conntrack", "-L"), "src=11.11.11.3 dst=192.168.104.1 sport=80")
}

func TestInMemorySideBySide(t *testing.T) {
	t.Parallel()
	one, two := newMemory(t, inMemory), newMemory(t, inMemory)
	two.program, two.runtime = one.program, one.runtime
	one.up("--trace", "off")
	two.up("--trace", "off")
	contains(t, one.do("ps"), one.name, two.name)
	one.do("exec", "RED", "--", "ip", "link", "set", "eth0", "down")
	contains(t, two.do("exec", "RED", "--", "curl", "-s", "http://11.11.11.3/"), "Hello from BLUE")
	one.do("stop")
	two.do("exec", "RED", "--", "ping", "-c1", "11.11.11.3")
	two.do("stop")
}

func TestInMemoryRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, says string }{
		"a namespace of this machine":     {"RED: {", "RED: {x-uswitch: {netns: /proc/1/ns/net}, ", "no way into the namespaces of this machine"},
		"an uplink into one":              {"uplink: sim", "uplink: {netns: wan, address: 192.0.2.2/24, gateway: 192.0.2.1}", "no way into the namespaces of this machine"},
		"a program that is not simulated": {"uswitch serve -p 80", "vim", "vim cannot be simulated"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory(t, strings.Replace(strings.ReplaceAll(inMemory, "RED: {networks", "RED: {command: 'true', networks"), c.old, c.new, 1))
			if out, status := m.try("", "run", "--sim", "--trace", "off", m.file); status == 0 || !strings.Contains(out, c.says) {
				t.Errorf("status %d, want %q in:\n%s", status, c.says, out)
			}
		})
	}
}

// TestKeep: a lab of pings takes no time; with --keep the same lab lives.
func TestKeep(t *testing.T) {
	t.Parallel()
	m := newMemory(t, strings.NewReplacer("RED: {", "RED: {command: uswitch ping -c 1 11.11.11.3, ", "command: uswitch serve -p 80,", "x-uswitch: {passive: true},").Replace(inMemory))
	if out, status := m.try("", "run", "--sim", m.file); status != 0 || !strings.Contains(out, "time=0.400 ms") {
		t.Errorf("without --keep: status %d:\n%s", status, out)
	}
	m.up("--keep", "--trace", "off")
	m.stdout.find(t, 0, "the ping's end", func(line string) bool { return strings.Contains(line, "RED | rtt") })
	m.do("exec", "BLUE", "--", "ping", "-c1", "11.11.11.2")
	m.do("stop")
}
