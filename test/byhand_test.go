package test

import (
	"strings"
	"testing"
)

// TestByHand: the bridge of the tutorials, built by hand out of nothing: namespaces, cables, a bridge, and what each step changes of
// who reaches whom; then all of it taken apart again.
func TestByHand(t *testing.T) {
	needs(t, "unshare", "nsenter", "ip", "ping")
	t.Parallel()
	m := newPrivateMachine(t)
	all := func(lines string) {
		t.Helper()
		for line := range strings.Lines(lines) {
			m.do("uswitch " + strings.TrimSpace(line))
		}
	}
	fails := func(line, want string) {
		t.Helper()
		if out, status := m.sh("uswitch " + line); status == 0 || !strings.Contains(out, want) {
			t.Errorf("%s: status %d, %s; want %s", line, status, out, want)
		}
	}
	all(`ip netns add RED
ip link add reth0 netns RED type veth peer name reth1
ip netns add BLUE
ip link add beth0 netns BLUE type veth peer name beth1
ip link add br0 type bridge
ip link set reth1 master br0
ip link set beth1 master br0
ip netns exec RED ip addr add 11.11.11.2/24 dev reth0
ip netns exec BLUE ip addr add 11.11.11.3/24 dev beth0
ip netns exec RED ip link set reth0 up
ip link set reth1 up
ip netns exec BLUE ip link set beth0 up
ip link set beth1 up`)
	fails("ip netns exec RED ping -c 1 -W 1 11.11.11.3", "100% packet loss") // the bridge is down
	contains(t, m.do("uswitch drops"), "port-disabled")
	all("ip link set br0 up\nip netns exec RED ping -c 1 -W 5 11.11.11.3\nip netns exec BLUE ping -c 1 -W 5 11.11.11.2")
	fails("ping -c 1 -W 1 11.11.11.2", "1 packets transmitted, 0 received, 100% packet loss")
	fails("ip addr add 11.11.11.1/24 dev nope", `Cannot find device "nope"`)
	all("ip addr add 11.11.11.1/24 dev br0\nping -c 1 -W 5 11.11.11.2")
	contains(t, m.do("uswitch ip route"), "11.11.11.0/24 dev br0 proto kernel scope link src 11.11.11.1 \n")
	fails("ip netns exec RED ping -c 1 -W 1 192.168.104.2", "unreachable")
	all("ip netns exec RED ip route add default via 11.11.11.1\nip netns exec RED ping -c 1 -W 5 192.168.104.2\niptables -A FORWARD -s 11.11.11.0/24 -j ACCEPT")
	fails("ip netns exec RED ping -c 1 -W 1 8.8.8.8", "100% packet loss")
	all("iptables -t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE\niptables -A FORWARD -d 11.11.11.0/24 -j ACCEPT")
	contains(t, m.do("uswitch ip netns exec RED ping -c 1 -W 5 8.8.8.8"), "ttl=61")

	if out := m.do("uswitch cat /proc/sys/net/ipv4/ip_forward"); out != "1\n" {
		t.Errorf("ip_forward: %s", out)
	}
	near, inside := m.do("uswitch ip -o link show reth1"), m.do("uswitch ip -n RED -o link show reth0")
	index := func(line string) string { return strings.Fields(strings.ReplaceAll(line, ":", " "))[0] }
	contains(t, near, "reth1@if"+index(inside)+": ", "master br0 state UP", "link-netnsid 0")
	contains(t, inside, "reth0@if"+index(near)+": ", "state UP", "link-netnsid 0")
	contains(t, m.do("uswitch brctl show br0"), "beth1\n", "reth1\n")
	contains(t, m.do("uswitch docker ps -a"), "NAMES\n")

	all("brctl delif br0 reth1\nbrctl addif br0 reth1\nbrctl setageing br0 10\nbrctl addbr br7\nbrctl delbr br7\nnsenter --net=/var/run/netns/RED ping -c 1 -W 5 11.11.11.3")
	fails("brctl addif br0 reth1", "device reth1 is already a member of a bridge; can't add it to bridge br0.")
	fails("brctl delbr br0", "bridge br0 is still up; can't delete it")
	fails("nsenter --net=/var/run/netns/NOPE true", "nsenter: cannot open /var/run/netns/NOPE: No such file or directory")
	contains(t, m.do("uswitch nsenter --net=/proc/1/ns/net ip link show reth1"), "master br0")
	all("ip link set reth1 nomaster\nip addr add 12.0.0.1/24 dev reth1\nip netns exec RED ip addr add 12.0.0.2/24 dev reth0\nping -c 1 -W 5 12.0.0.2")
	all("ip link set reth1 down")
	fails("ping -c 1 -W 1 12.0.0.2", "100% packet loss")
	all("ip link set reth1 name outer\nip link set outer up\nping -c 1 -W 5 12.0.0.2\nip link set outer netns BLUE")
	contains(t, m.do("uswitch ip -n BLUE link show outer"), "outer: <BROADCAST,MULTICAST>")
	all("ip -n BLUE addr add 12.0.0.9/24 dev outer\nip -n BLUE link set outer up\nip netns exec RED ping -c 1 -W 5 12.0.0.9")
	all("ip -n BLUE link set outer netns 1\nip link set outer up\nip addr add 12.0.0.1/24 dev outer\nping -c 1 -W 5 12.0.0.2")

	all("ip netns del RED\nip link del br0")
	if out := m.do("uswitch ip -o link; uswitch ip netns"); strings.Contains(out, "outer") || strings.Contains(out, "RED") || strings.Contains(out, "br0") || !strings.Contains(out, "beth1@if") {
		t.Errorf("what is left:\n%s", out)
	}
	all("ip link del beth1\nip netns del BLUE\ndown host")
	if out := m.do("ip netns; ip -o link"); strings.Contains(out, "RED") || strings.Contains(out, "eth0") {
		t.Errorf("left behind: %s", out)
	}
}

// TestSwitchesByHand: two bridges joined by a cable are one network, and a cable may end at an interface of the machine's own.
func TestSwitchesByHand(t *testing.T) {
	needs(t, "unshare", "nsenter", "ip", "ping")
	t.Parallel()
	m := newPrivateMachine(t)
	for line := range strings.Lines(`ip link add br0 type bridge
ip link add br1 type bridge
ip link set br0 up
ip link set br1 up
ip link add a type veth peer name b
ip link set a master br0
ip link set b master br1
ip link set a up
ip link set b up
ip netns add RED
ip netns add BLUE
ip link add reth0 netns RED type veth peer name reth1
ip link add beth0 netns BLUE type veth peer name beth1
ip link set reth1 master br0 up
ip link set beth1 master br1 up
ip -n RED addr add 10.7.0.2/24 dev reth0
ip -n BLUE addr add 10.7.0.3/24 dev beth0
ip -n RED link set reth0 up
ip -n BLUE link set beth0 up
ip netns exec RED ping -c 1 -W 5 10.7.0.3
ip addr add 10.7.0.1/24 dev br1
ping -c 1 -W 5 10.7.0.2`) {
		m.do("uswitch " + strings.TrimSpace(line))
	}
	contains(t, m.do("uswitch ip link show a"), "a@b: <BROADCAST,MULTICAST,UP,LOWER_UP>", "master br0 state UP")
	contains(t, m.do("uswitch bridge fdb show br br0"), "dev a master br0")
	m.do("uswitch ip link set a down")
	if out, status := m.sh("uswitch ip netns exec RED ping -c 1 -W 1 10.7.0.3"); status == 0 {
		t.Errorf("the cable is down: %s", out)
	}
	m.do("uswitch ip link set b nomaster; uswitch ip link set a up; uswitch ip link set b up; uswitch ip addr del 10.7.0.1/24 dev br1; uswitch ip addr add 10.7.0.9/24 dev b; uswitch ping -c 1 -W 5 10.7.0.2")
	m.do("uswitch ip link del a; uswitch down host")
}
