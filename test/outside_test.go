package test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// outside is a small internet in namespaces of a test's own, so that nothing ever leaves the machine. HOST stands for the
// machine that the tutorials sit on:
//
//	HOST                     ISP                            NET
//	uplink 192.168.104.2/24  lan 192.168.104.1  wan 100.64.0.1  eth0 100.64.0.2, and 8.8.8.8, 93.184.216.34, 8.8.4.4
//
//	203.0.113.9x are dead addresses, each in its own way; see the rules below. 8.8.4.4 is behind a link of 1300 bytes.
//
// A lab whose uplink is host runs inside HOST. One whose uplink is a namespace takes HOST's place: its interface stands in ISP.
type outside struct {
	t      *testing.T
	suffix string
}

// Addresses outside.
const (
	hostIP, ispIP                                     = "192.168.104.2", "192.168.104.1"
	netIP, dnsIP, siteIP, narrowIP                    = "100.64.0.2", "8.8.8.8", "93.184.216.34", "8.8.4.4"
	prohibitedIP, rejectedIP, deadIP, blackIP, noneIP = "203.0.113.96", "203.0.113.97", "203.0.113.98", "203.0.113.99", "203.0.113.95"
)

// newOutside makes the outside of a lab. HOST is left out if the lab takes its place.
func newOutside(l *lab, withHost bool) *outside {
	l.t.Helper()
	o := &outside{t: l.t, suffix: l.suffix}
	names := []string{"ISP", "NET"}
	if withHost {
		names = append(names, "HOST")
	}
	for _, name := range names {
		o.add(name)
	}
	o.shell(`
		ip -n ISP@ link add wan type veth peer name eth0 netns NET@
		ip -n ISP@ addr add 100.64.0.1/24 dev wan && ip -n ISP@ link set wan up
		ip -n NET@ addr add 100.64.0.2/24 dev eth0 && ip -n NET@ link set eth0 up
		ip -n NET@ route add default via 100.64.0.1
		for a in 8.8.8.8 93.184.216.34; do
			ip -n NET@ addr add $a/32 dev lo && ip -n ISP@ route add $a via 100.64.0.2
		done
		ip -n NET@ addr add 8.8.4.4/32 dev lo
		ip -n ISP@ route add 8.8.4.4 via 100.64.0.2 mtu lock 1300
		ip -n ISP@ route add 203.0.113.0/24 via 100.64.0.77 # where nobody is: host unreachable after three questions
		ip netns exec ISP@ sysctl -qw net.ipv4.neigh.wan.retrans_time_ms=200
		ip netns exec ISP@ iptables -w -A FORWARD -d 203.0.113.95 -j REJECT --reject-with icmp-net-unreachable
		ip netns exec ISP@ iptables -w -A FORWARD -d 203.0.113.96 -j REJECT --reject-with icmp-admin-prohibited
		ip netns exec ISP@ iptables -w -A FORWARD -d 203.0.113.97 -j REJECT --reject-with icmp-host-unreachable
		ip netns exec ISP@ iptables -w -A FORWARD -d 203.0.113.99 -j DROP
		ip netns exec ISP@ sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0
		ip netns exec NET@ sysctl -qw net.ipv4.icmp_ratelimit=0`)
	if withHost {
		o.shell(`
			ip -n HOST@ link add uplink type veth peer name lan netns ISP@
			ip -n ISP@ addr add 192.168.104.1/24 dev lan && ip -n ISP@ link set lan up
			ip -n HOST@ addr add 192.168.104.2/24 dev uplink && ip -n HOST@ link set uplink up
			ip -n HOST@ route add default via 192.168.104.1
			ip netns exec HOST@ sysctl -qw net.ipv4.ping_group_range="0 65535" # as systems with systemd have it, for all groups that a user namespace has`)
	}
	return o
}

// add makes a namespace that ends with the test.
func (o *outside) add(name string) {
	o.t.Helper()
	ns := name + o.suffix
	must(o.t, "ip", "netns", "add", ns)
	o.t.Cleanup(func() {
		must(o.t, "ip", "netns", "del", ns)
	})
	must(o.t, "ip", "-n", ns, "link", "set", "lo", "up")
}

// shell runs lines of a shell of which none may fail. An @ stands for the test's own suffix.
func (o *outside) shell(lines string) {
	o.t.Helper()
	must(o.t, "sh", "-ec", strings.ReplaceAll(lines, "@", o.suffix))
}

// The main thread stays with the main goroutine, which never enters a namespace: it cannot be given up as other threads
// are, and a process whose main thread is in a host of a lab is one that ends with the lab.
func init() { runtime.LockOSThread() }

// within runs f with the network of a namespace; a socket that it opens stays there. Its thread is not used again.
//
// An address that is in use is tried again for a while: a child that is being started holds every file of this process
// from its fork(2) to its execve(2), sockets among them that a test has closed.
func within(t *testing.T, ns string, f func() error) {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		fd, err := unix.Open("/run/netns/"+ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			_ = unix.Close(fd)
		}
		if err == nil {
			err = f()
		}
		for end := time.Now().Add(patience); errors.Is(err, unix.EADDRINUSE) && time.Now().Before(end); err = f() {
			time.Sleep(10 * time.Millisecond)
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Fatal(fmt.Errorf("in %s: %w", ns, err))
	}
}
