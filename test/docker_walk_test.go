package test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Walkthrough W1: what Docker's bridge does to a machine, typed as a tutorial has it. The rows of the walkthrough are named
// where they are looked at.
//
//	busybox1 172.17.0.2 --+
//	busybox2 172.17.0.3 --+-- docker0 172.17.0.1 -- the gateway

// dockerLabFile is the built-in lab docker.
const dockerLabFile = "name: lab@\nservices: {}\nx-uswitch: {docker0: true, uplink: host}\n"

// startDocker brings up a machine with Docker on it.
func startDocker(t *testing.T) *lab {
	t.Helper()
	return startLab(t, dockerLabFile)
}

// docker runs `uswitch docker` with the words of a line; an @ in it stands for the test's own suffix. It returns what that
// prints, without the suffix, and fails the test if it fails.
func (l *lab) docker(line string) string {
	l.t.Helper()
	out, errs, status := l.tryDocker(line)
	if status != 0 {
		l.t.Fatalf("uswitch docker %s: status %d\n%s%s", line, status, out, errs)
	}
	return out
}

func (l *lab) tryDocker(line string) (stdout, stderr string, status int) {
	l.t.Helper()
	stdout, stderr, status = l.try(append([]string{"docker"}, strings.Fields(l.own(line))...)...)
	return strings.ReplaceAll(stdout, l.suffix, ""), strings.ReplaceAll(stderr, l.suffix, ""), status
}

// address returns a container's address on a network.
func (l *lab) address(container, network string) string {
	l.t.Helper()
	return strings.TrimSpace(l.docker("inspect -f {{.NetworkSettings.Networks." + network + ".IPAddress}} " + container + "@"))
}

// freePort finds a TCP port that nobody on this machine has.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func TestW1Docker(t *testing.T) {
	needs(t, "route", "brctl", "nsenter")
	t.Parallel()
	l := startDocker(t)

	rows := strings.Split(strings.TrimSpace(l.docker("network ls")), "\n")
	if len(rows) != 4 || strings.Join(strings.Fields(rows[0]), " ") != "NETWORK ID NAME DRIVER SCOPE" {
		t.Fatalf("1.1: %q", rows)
	}
	for i, want := range []string{"bridge bridge local", "host host local", "none null local"} {
		if id, rest, _ := strings.Cut(rows[i+1], " "); len(id) != 12 || strings.Join(strings.Fields(rest), " ") != want {
			t.Errorf("1.1: %q, want twelve digits and %s", rows[i+1], want)
		}
	}

	contains(t, l.do("ifconfig", "docker0"), "inet 172.17.0.1  netmask 255.255.0.0", "mtu 1500", "ether 02:42:ac:11:00:01", "flags=4099<UP,BROADCAST,MULTICAST>", "RX packets 0")
	contains(t, l.do("ip", "addr", "show", "docker0"), "<NO-CARRIER,BROADCAST,MULTICAST,UP>", "state DOWN", "mtu 1500", "inet 172.17.0.1/16", "link/ether 02:42:")

	var networks []struct {
		Name, ID, Created, Scope, Driver string
		EnableIPv6, Internal             bool
		IPAM                             struct {
			Driver string
			Config []struct{ Subnet, Gateway string }
		}
		Containers map[string]struct{ Name, MacAddress, IPv4Address string }
		Options    map[string]string
	}
	inspect := func() {
		t.Helper()
		networks = nil
		if err := json.Unmarshal([]byte(l.docker("network inspect bridge")), &networks); err != nil || len(networks) != 1 {
			t.Fatalf("1.3: %v, %+v", err, networks)
		}
	}
	inspect()
	n := networks[0]
	option := "com.docker.network.bridge."
	got := fmt.Sprintln(n.Name, n.Scope, n.Driver, n.EnableIPv6, n.IPAM.Driver, n.IPAM.Config, n.Internal, n.Containers, n.Options[option+"default_bridge"],
		n.Options[option+"enable_icc"], n.Options[option+"enable_ip_masquerade"], n.Options[option+"host_binding_ipv4"], n.Options[option+"name"],
		n.Options["com.docker.network.driver.mtu"])
	if want := fmt.Sprintln("bridge", "local", "bridge", false, "default", "[{172.17.0.0/16 172.17.0.1}]", false, "map[]", "true", "true", "true", "0.0.0.0",
		"docker0", "1500"); got != want || len(n.ID) != 64 || n.Created == "" {
		t.Errorf("1.3: %s, want %s", got, want)
	}

	for i, name := range []string{"busybox1", "busybox2"} {
		out, errs, status := l.tryDocker("run -d --rm --name " + name + "@ busybox sleep 300")
		if status != 0 || len(strings.TrimSpace(out)) != 64 || strings.Count(errs, "\n") != 1 {
			t.Fatalf("1.4: status %d, %q, %q: want an id, and one line that says what becomes of the image", status, out, errs)
		}
		contains(t, errs, "image busybox is not used")
		if got, want := l.address(name, "bridge"), fmt.Sprintf("172.17.0.%d", i+2); got != want {
			t.Errorf("1.4: %s has %s, want %s", name, got, want)
		}
	}
	contains(t, l.docker("ps"), "CONTAINER ID", "busybox1\n", "busybox2\n", `"sleep 300"`, " Up ")
	if inspect(); len(networks[0].Containers) != 2 {
		t.Errorf("1.4: the network has %+v", networks[0].Containers)
	}

	addr := l.docker("exec -it busybox1@ ip addr")
	contains(t, addr, "lo: <LOOPBACK,UP,LOWER_UP>", "inet 127.0.0.1/8", "eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500",
		"link/ether 02:42:ac:11:00:02", "inet 172.17.0.2/16")
	contains(t, l.docker("exec -it busybox2@ ip addr"), "link/ether 02:42:ac:11:00:03", "inet 172.17.0.3/16")

	link := l.do("ip", "link")
	contains(t, link, "docker0: <BROADCAST,MULTICAST,UP,LOWER_UP>", "master docker0 state UP", "link-netnsid 0", "link-netnsid 1")
	if veths := strings.Count(link, ": veth"); veths != 2 || strings.Count(link, "@if") != 2 {
		t.Errorf("1.6: %d veths:\n%s", veths, link)
	}

	show := l.do("brctl", "show")
	contains(t, show, "docker0\t\t8000.0242ac110001\tno\t\tveth")
	if strings.Count(show, "veth") != 2 {
		t.Errorf("1.7:\n%s", show)
	}

	contains(t, l.docker("exec -it busybox2@ ping -c 1 172.17.0.2"), "64 bytes from 172.17.0.2", "ttl=64")

	route := strings.Join(strings.Fields(l.docker("exec -it busybox1@ route -n")), " ")
	contains(t, route, "0.0.0.0 172.17.0.1 0.0.0.0 UG", "172.17.0.0 0.0.0.0 255.255.0.0 U")

	l.docker("stop busybox1@")
	if ps := l.docker("ps -a"); strings.Contains(ps, "busybox1") {
		t.Errorf("1.10: --rm has left it:\n%s", ps)
	}
	if _, err := os.Stat("/run/netns/" + l.ns("busybox1")); err == nil {
		t.Error("1.10: its namespace is still there")
	}
	l.docker("run -d --rm --name busybox3@ busybox sleep 300")
	if got := l.address("busybox3", "bridge"); got != "172.17.0.2" {
		t.Errorf("1.10: busybox3 has %s, want the address that was freed", got)
	}
}

// TestW2Docker: whose network a container has.
func TestW2Docker(t *testing.T) {
	needs(t, "python3")
	t.Parallel()
	l := startDocker(t)

	l.docker("run -d --name web@ nginx")
	if got := l.address("web", "bridge"); got != "172.17.0.2" {
		t.Errorf("2.1: %s", got)
	}
	own := must(t, "readlink", "/proc/self/ns/net")
	inode := func(container string) string {
		t.Helper()
		return l.docker("exec " + container + "@ readlink /proc/self/ns/net")
	}
	if inode("web") == own {
		t.Error("2.1: it is in the machine's own namespace")
	}

	l.docker("run -d --network none --name alone@ busybox sleep 300")
	l.docker("run -d --network none --name alone2@ busybox sleep 300")
	if links := l.docker("exec alone@ ip -o link"); strings.Count(links, "\n") != 1 || !strings.HasPrefix(links, "1: lo: ") {
		t.Errorf("2.2: want lo alone:\n%s", links)
	}
	for _, to := range []string{"172.17.0.2", "172.17.0.1", "8.8.8.8"} {
		out, errs, status := l.tryDocker("exec alone@ ping -c 1 -W 1 " + to)
		if status == 0 || !strings.Contains(out+errs, "Network is unreachable") {
			t.Errorf("2.2: %s: status %d, %s%s", to, status, out, errs)
		}
	}
	if inode("alone") == inode("alone2") {
		t.Error("2.2: two of them share a network")
	}

	port := strconv.Itoa(freePort(t))
	l.docker("run -d --network host --name there@ nginx uswitch serve -p " + port)
	if inode("there") != own {
		t.Error("2.3: it is not in the machine's namespace")
	}
	eventually(t, "the host's own port answers", func() bool {
		_, status := output(t, "curl", "-sf", "-m", "5", "http://127.0.0.1:"+port+"/")
		return status == 0
	})
	_, errs, status := l.tryDocker("run --rm --network host nginx uswitch serve -p " + port)
	if status == 0 || !strings.Contains(strings.ToLower(errs), "address already in use") {
		t.Errorf("2.4: status %d, %s", status, errs)
	}

	if got, want := l.docker("run --rm --network container:web@ busybox readlink /proc/self/ns/net"), inode("web"); got != want {
		t.Errorf("2.5: %s, want %s", got, want)
	}
	contains(t, l.docker("run --rm --network container:web@ busybox ip addr show eth0"), "inet 172.17.0.2/16", "02:42:ac:11:00:02")
	contains(t, l.docker("run --rm --network container:web@ busybox curl -s http://localhost/"), "Hello from")
	if _, errs, status := l.tryDocker("run --rm --network container:gone@ busybox true"); status != 125 {
		t.Errorf("2.5: nobody's network: status %d, %s", status, errs)
	}
}
