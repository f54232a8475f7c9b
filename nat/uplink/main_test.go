//go:build linux

package uplink_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// The tests run in a network namespace of their own, which plays the host:
//
//	 inside                  host (this process)                    wan (a child that sleeps)          far (another)
//	+------------+   +---------------------------------+   +----------------------------------+   +----------------+
//	| 11.11.11.2 +---+ gateway, Host   up0 198.18.0.2  +---+ 198.18.0.1   lo 203.0.113.10     +---+ 198.18.1.2     |
//	| 11.11.11.3 |   |                                 |   | 203.0.113.98 unreachable         |   | lo 203.0.113.20|
//	+------------+   +---------------------------------+   | 203.0.113.99 swallows            |   +----------------+
//	                                                       +----------------------------------+
//
// TestMain starts this very binary again with unshare -n. Without the privilege the tests that need the outside skip.

const insideVariable = "USWITCH_UPLINK_TEST_NETNS"

// why is why there is no outside, empty if there is one.
var noOutside string

// The main goroutine keeps the main thread: a child dies with the thread that has started it (prctl(2): PR_SET_PDEATHSIG),
// and those that were in another namespace end before the tests do.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if at := os.Getenv(serverVariable); at != "" {
		holdConnections(at)
	}
	if os.Getenv(insideVariable) == "" {
		if noOutside = enter(); noOutside != "" && os.Getenv("CI") == "true" {
			fmt.Fprintln(os.Stderr, "uplink: "+noOutside)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	children, err := build()
	if err != nil {
		fmt.Fprintln(os.Stderr, "uplink: cannot build the outside:", err)
		noOutside = err.Error()
	}
	if l, err := net.Listen("tcp4", "127.0.0.1:0"); err == nil { // the runtime's poller opens its own files now
		l.Close()
	}
	code := m.Run()
	for _, c := range children {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	os.Exit(code)
}

// enter replaces the process by itself in a new namespace. It returns only if it cannot.
func enter() string {
	if os.Getuid() != 0 {
		return "a namespace for the outside needs root"
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return "unshare (util-linux) is not installed"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return "ip (iproute2) is not installed"
	}
	self, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	err = syscall.Exec(unshare, append([]string{"unshare", "-n", self}, os.Args[1:]...), append(os.Environ(), insideVariable+"=1"))
	return err.Error()
}

var wanPID, farPID int

// build makes the outside. The namespaces have no names: they end with the children that hold them.
func build() ([]*exec.Cmd, error) {
	var children []*exec.Cmd
	for _, pid := range []*int{&wanPID, &farPID} {
		c := exec.Command("unshare", "-n", "sh", "-c", "echo up; exec sleep 100000")
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := c.StdoutPipe()
		if err != nil {
			return children, err
		}
		if err := c.Start(); err != nil {
			return children, err
		}
		children = append(children, c)
		*pid = c.Process.Pid
		if _, err := out.Read(make([]byte, 3)); err != nil { // it is in its namespace now
			return children, err
		}
	}
	wan, far := fmt.Sprintf("nsenter -t %d -n ", wanPID), fmt.Sprintf("nsenter -t %d -n ", farPID)
	for _, line := range []string{
		"ip link set lo up",
		fmt.Sprintf("ip link add up0 type veth peer name w0 netns %d", wanPID),
		"ip addr add 198.18.0.2/24 dev up0",
		"ip addr add 198.51.100.1/32 dev lo",
		"ip -6 addr add 2001:db8:18::2/64 dev up0 nodad",
		"ip link set up0 up",
		"ip -6 route add default via 2001:db8:18::1",
		"ip route add default via 198.18.0.1",
		"sysctl -qw net.ipv4.neigh.up0.retrans_time_ms=50",
		wan + "ip link set lo up",
		wan + "ip addr add 203.0.113.10/32 dev lo",
		wan + "ip addr add 203.0.113.11/32 dev lo",
		wan + "ip addr add 198.18.0.1/24 dev w0",
		wan + "ip -6 addr add 2001:db8:18::1/64 dev w0 nodad",
		wan + "ip -6 addr add 2001:db8:113::10/128 dev lo",
		wan + "ip link set w0 up",
		wan + "ip -6 route add unreachable 2001:db8:113::98",
		wan + "sysctl -qw net.ipv6.conf.all.forwarding=1",
		wan + "sysctl -qw net.ipv6.icmp.ratelimit=0",
		wan + "ip route add blackhole 203.0.113.99",
		wan + "ip route add unreachable 203.0.113.98",
		wan + fmt.Sprintf("ip link add w1 type veth peer name f0 netns %d", farPID),
		wan + "ip addr add 198.18.1.1/24 dev w1",
		wan + "ip -6 addr add 2001:db8:19::1/64 dev w1 nodad",
		wan + "ip link set w1 up",
		wan + "ip -6 route add 2001:db8:113::20 via 2001:db8:19::2 mtu 1280",
		wan + "ip route add 203.0.113.20 via 198.18.1.2",
		wan + "sysctl -qw net.ipv4.ip_forward=1",
		wan + "sysctl -qw net.ipv4.icmp_ratelimit=0",
		wan + "sysctl -qw net.ipv4.icmp_msgs_per_sec=100000",
		far + "ip link set lo up",
		far + "ip addr add 203.0.113.20/32 dev lo",
		far + "ip addr add 198.18.1.2/24 dev f0",
		far + "ip -6 addr add 2001:db8:113::20/128 dev lo",
		far + "ip -6 addr add 2001:db8:19::2/64 dev f0 nodad",
		far + "ip link set f0 up",
		far + "ip -6 route add default via 2001:db8:19::1",
		far + "ip route add default via 198.18.1.1",
		far + "sysctl -qw net.ipv4.icmp_ratelimit=0",
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return children, fmt.Errorf("%s: %w: %s", line, err, out)
		}
	}
	return children, nil
}

// outside skips a test where there is none, which in CI is a failure.
func outside(t *testing.T) {
	t.Helper()
	if noOutside != "" {
		unavailable(t, noOutside)
	}
}

// unavailable skips a test for want of something; in CI that is a failure.
func unavailable(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
