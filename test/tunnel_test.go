package test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Networks between machines, each of which is a namespace: in the near one the lab's process, in the far one something else.
//
//	  lab: RED GREEN - br0 - vx0                                   vx0 - br0 - BLUE
//	                          | 198.18.N.1      198.18.N.2 |
//	                          +----------- cable ----------+
//
// There the kernel's own vxlan device speaks, or Open vSwitch.

// far is the other machine.
type far struct {
	t           *testing.T
	near        string // the namespace of the lab's process
	ns, host    string // the machine's namespace, and that of a host on it
	local, peer string // the lab's address, and its own
}

var cables atomic.Int64

// newFar lays a cable to a machine that does nothing yet.
func newFar(t *testing.T) *far {
	t.Helper()
	n := cables.Add(1)
	f := &far{t: t, ns: fmt.Sprintf("vxfar%d-%d", os.Getpid(), n)}
	f.near, f.host = f.ns+"n", f.ns+"h"
	net := fmt.Sprintf("198.18.%d", (int64(os.Getpid())*7+n)%250)
	f.local, f.peer = net+".1", net+".2"
	for _, ns := range []string{f.near, f.ns} {
		must(t, "ip", "netns", "add", ns)
		t.Cleanup(func() { must(t, "ip", "netns", "del", ns) }) // and the cable with it
	}
	must(t, "ip", "-n", f.near, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", f.ns)
	in(t, f.near, "ip link set lo up; ip addr add "+f.local+"/24 dev eth0; ip link set eth0 up; ethtool -K eth0 tx off")
	f.do("ip link set lo up; ip addr add " + f.peer + "/24 dev eth0; ip link set eth0 up; ethtool -K eth0 tx off")
	return f
}

// in runs a script in a namespace.
func in(t *testing.T, ns, script string) string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", ns, "sh", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// do runs a script there.
func (f *far) do(script string) string {
	f.t.Helper()
	return in(f.t, f.ns, script)
}

// kernel gives it the kernel's own vxlan device, in a bridge with a host at 10.0.0.20.
func (f *far) kernel(vni int) {
	f.t.Helper()
	must(f.t, "ip", "netns", "add", f.host)
	f.t.Cleanup(func() { must(f.t, "ip", "netns", "del", f.host) })
	f.do(fmt.Sprintf("ip link add vx0 type vxlan id %d dstport 4789 local %s learning", vni, f.peer) + `
bridge fdb append 00:00:00:00:00:00 dev vx0 dst ` + f.local + `
ip link add br0 type bridge
ip link set vx0 master br0
ip link set br0 up
ip link set vx0 up
ip link add host type veth peer name eth0 netns ` + f.host + `
ip link set host master br0 up
ip -n ` + f.host + ` addr add 10.0.0.20/24 dev eth0
ip -n ` + f.host + ` link set lo up
ip -n ` + f.host + ` link set eth0 mtu 1450 address 02:00:00:00:00:20 up`)
}

// ping pings from the host there.
func (f *far) ping(args ...string) (string, error) {
	out, err := exec.Command("ip", append([]string{"netns", "exec", f.host, "ping"}, args...)...).CombinedOutput()
	return string(out), err
}

const tunnelLab = `
name: lab@
services:
  RED@: {networks: {br0: {ipv4_address: 10.0.0.2}}}
  GREEN@: {networks: {br0: {ipv4_address: 10.0.0.3}}}
networks:
  br0:
    driver: vxlan
    driver_opts: {vni: 42, local: LOCAL, peers: "PEER"}
    ipam: {config: [{subnet: 10.0.0.0/24}]}
x-uswitch: {uplink: none}
`

// lab brings the lab up, in the namespace that is near. Only the process's own sockets are there.
func (f *far) lab() *lab {
	f.t.Helper()
	l := newLab(f.t, f.file())
	l.process = begin(f.t, "nsenter", "--net=/run/netns/"+f.near, uswitch, "run", l.file, "--trace", "json")
	f.t.Cleanup(l.stop)
	l.waitUp()
	return l
}

// file is the lab file with the machines' addresses.
func (f *far) file() string {
	return strings.NewReplacer("LOCAL", f.local, "PEER", f.peer).Replace(tunnelLab)
}

func TestTunnelToTheKernel(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	l := f.lab()
	if !l.pings("RED", "10.0.0.20") {
		t.Fatalf("no answer; %v", l.stderr)
	}
	for _, size := range []string{"1422", "0"} {
		if out, err := f.ping("-c", "1", "-W", "5", "-M", "do", "-s", size, "10.0.0.3"); err != nil {
			t.Errorf("%s bytes: %v\n%s", size, err, out)
		}
	}
	out := l.event("the step into the tunnel", func(e event) bool { return e.Hook == "encap" && strings.Contains(e.Text, "was learned from") })
	if !strings.Contains(out.Text, "in UDP "+f.local+":") || !strings.Contains(out.Text, "> "+f.peer+":4789, VNI 42") {
		t.Errorf("said %s", out.Text)
	}
	l.event("the step out of it", func(e event) bool { return e.Hook == "decap" && strings.Contains(e.Text, "lives behind "+f.peer) })

	// The VTEP over there changes its address: who has been told so, and nobody else, is believed.
	old := f.peer
	f.do("ip addr add " + old + "9/24 dev eth0")
	f.peer = old + "9"
	f.do("ip link set vx0 type vxlan local " + f.peer + " || { ip link del vx0; ip link add vx0 type vxlan id 42 dstport 4789 local " + f.peer +
		" learning; bridge fdb append 00:00:00:00:00:00 dev vx0 dst " + f.local + "; ip link set vx0 master br0 up; }")
	if _, err := f.ping("-c", "1", "-W", "1", "10.0.0.3"); err == nil {
		t.Error("an unknown machine is believed")
	}
	if l.drops("vxlan-unknown-vtep") == 0 {
		t.Error("and its packets are not counted")
	}
	l.write(f.file())
	if out := l.do("apply", l.file); !strings.Contains(out, "~ network br0 options tunnel") {
		t.Errorf("apply said %s", out)
	}
	if out, err := f.ping("-c", "1", "-W", "5", "10.0.0.3"); err != nil {
		t.Errorf("after the change: %v\n%s", err, out)
	}
}

// TestTunnelStorm: what is for other networks is counted, and harms nobody.
func TestTunnelStorm(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	l := f.lab()
	f.do(`ip link add vx9 type vxlan id 9 dstport 4789 local ` + f.peer + ` remote ` + f.local + `
ip addr add 10.9.0.1/24 dev vx9
ip link set vx9 up
ip neigh add 10.9.0.2 lladdr 02:00:00:00:09:02 dev vx9
ping -q -l 3000 -c 3000 -W 1 10.9.0.2 >/dev/null || true`)
	if !l.pings("RED", "10.0.0.20") {
		t.Error("no answer beside the storm")
	}
	eventually(t, "they are counted", func() bool { return l.drops("vxlan-vni-not-found") >= 1000 })
}

// TestTunnelPortTaken: who has the port is named, and nothing is left.
func TestTunnelPortTaken(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	in(t, f.near, "ip link add taker type vxlan id 77 dstport 4789 local "+f.local+"; ip link set taker up")
	l := newLab(t, f.file())
	out, err := exec.Command("nsenter", "--net=/run/netns/"+f.near, uswitch, "run", l.file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "4789/udp is taken, by this machine's own device taker") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestTunnelIsForetold: what the other machine does is not known, and nothing is said to end there or to arrive.
func TestTunnelIsForetold(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	l := f.lab()
	one := func(args ...string) string { return strings.Join(strings.Fields(l.do(args...)), " ") } // however its lines are broken
	if out := one("explain", l.ns("RED"), "10.0.0.20"); !strings.Contains(out, "whether anybody answers there is not known") || !strings.Contains(out, "what "+f.peer+" does with it is not known here") {
		t.Errorf("of a station that nobody has heard of it says:\n%s", out)
	}
	if !l.pings("RED", "10.0.0.20") {
		t.Fatal("no answer")
	}
	out := one("explain", l.ns("RED"), "10.0.0.20")
	matchesAll(t, out, `Phase 5 vx0 encap ALLOW`, `was learned from `+f.peer, `What becomes of it there is not known\.$`)
	foretold := strings.Fields(out[strings.Index(out, "in UDP ")+7:])[0]
	l.exec("RED", "ping", "-c", "1", "10.0.0.20")
	l.event("the packet that was foretold", func(e event) bool { return e.Hook == "encap" && strings.Contains(e.Text, "in UDP "+foretold+" ") })
	if out := one("why-not", l.ns("RED"), "10.0.0.20", "--tcp", "80"); !strings.Contains(out, "Nothing that the switch can see is in the way") || !strings.Contains(out, f.peer) {
		t.Errorf("why-not says:\n%s", out)
	}
}

// TestTunnelTables: a tunnel's entries are shown and changed as Linux' vxlan device has them, and what is said of other machines is heard.
func TestTunnelTables(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	l := f.lab()
	if !l.pings("RED", "10.0.0.20") {
		t.Fatal("no answer")
	}
	matchesAll(t, l.do("bridge", "fdb", "show"), `^02:00:00:00:00:20 dev vx0 master br0 $`, `^02:00:00:00:00:20 dev vx0 dst `+f.peer+` self $`,
		`^00:00:00:00:00:00 dev vx0 dst `+f.peer+` self permanent$`)
	matchesAll(t, l.do("show", "tunnels"), `^vx0 on br0: VNI 42 at `+f.local+`:4789, peers `+f.peer+`, ttl 64, mtu 1450, learning$`)
	matchesAll(t, l.do("ip", "link", "show", "vx0"), `^\d+: vx0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 .* master br0 `)

	// A station by hand, behind a machine at whose port nobody listens.
	nobody := f.local + "7"
	f.do("ip addr add " + nobody + "/24 dev eth0; ip link del vx0") // which would listen at every address
	l.do("bridge", "fdb", "add", "02:00:00:00:00:99", "dev", "vx0", "dst", nobody, "self", "permanent")
	l.do("bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx0", "dst", nobody)
	must(t, "ip", "netns", "exec", l.ns("RED"), "ip", "neigh", "add", "10.0.0.99", "lladdr", "02:00:00:00:00:99", "dev", "eth0")
	eventually(t, "the other machine's refusal is heard", func() bool {
		_ = exec.Command("ip", "netns", "exec", l.ns("RED"), "ping", "-c", "1", "-W", "1", "10.0.0.99").Run()
		return strings.Contains(l.do("show", "tunnels"), nobody+": ")
	})
	l.event("the configured way", func(e event) bool {
		return e.Hook == "encap" && strings.Contains(e.Text, "02:00:00:00:00:99 is behind "+nobody+" as configured")
	})
	if l.drops("refused") == 0 {
		t.Error("what was refused is not counted")
	}
	l.do("bridge", "fdb", "del", "00:00:00:00:00:00", "dev", "vx0", "dst", nobody)
	l.do("bridge", "fdb", "del", "02:00:00:00:00:99", "dev", "vx0", "dst", nobody)
	if out := l.do("bridge", "fdb", "show", "dev", "vx0"); strings.Contains(out, nobody) {
		t.Errorf("still there:\n%s", out)
	}
}

// TestTunnelMTU: the hosts' MTU is set by itself, 50 less than the outer one's. A sender that is routed there is told what fits.
func TestTunnelMTU(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	in(t, f.near, "ip link set eth0 mtu 1400")
	l := newLab(t, strings.Replace(strings.Replace(f.file(), "uplink: none", "uplink: none, rules: []", 1), "networks:\n  br0:", "  BLUE@: {networks: [lan]}\nnetworks:\n  lan: {ipam: {config: [{subnet: 10.7.0.0/24}]}}\n  br0:", 1))
	l.process = begin(t, "nsenter", "--net=/run/netns/"+f.near, uswitch, "run", l.file, "--trace", "json")
	t.Cleanup(l.stop)
	l.waitUp()
	in(t, f.host, "ip route add 10.7.0.0/24 via 10.0.0.1")
	if out := l.exec("RED", "cat", "/sys/class/net/eth0/mtu"); strings.TrimSpace(out) != "1350" {
		t.Errorf("the MTU inside is %s", out)
	}
	if !l.pings("BLUE", "10.0.0.20") {
		t.Fatal("no answer")
	}
	out, _ := exec.Command("ip", "netns", "exec", l.ns("BLUE"), "ping", "-c", "1", "-W", "5", "-M", "do", "-s", "1472", "10.0.0.20").CombinedOutput()
	if !strings.Contains(string(out), "Frag needed and DF set (mtu = 1350)") {
		t.Errorf("the sender hears:\n%s", out)
	}
	if l.drops("frag-needed") != 1 {
		t.Error("it is not counted")
	}

	// A router on the way that takes less than this machine's interface: the reason names what would fit.
	in(t, f.near, "ip route add "+f.peer+"/32 dev eth0 mtu 1300")
	_ = exec.Command("ip", "netns", "exec", l.ns("RED"), "ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1300", "10.0.0.20").Run()
	drop := l.event("the packet that does not fit the way", func(e event) bool { return e.Hook == "encap" && e.Reason == "pkt-too-big" })
	if !strings.Contains(drop.Text, "at most 1,250 bytes fit") {
		t.Errorf("said %s", drop.Text)
	}
}

// TestTunnelOfThree: two labs and the kernel are one network, of which every host reaches every other.
func TestTunnelOfThree(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	first := f.local
	second := first + "1"
	in(t, f.near, "ip addr add "+second+"/24 dev eth0")
	f.do("bridge fdb append 00:00:00:00:00:00 dev vx0 dst " + second)
	one := newLab(t, strings.NewReplacer("LOCAL", first, "PEER", f.peer+","+second).Replace(tunnelLab))
	other := newLab(t, strings.NewReplacer("LOCAL", second, "PEER", f.peer+","+first, "10.0.0.2}", "10.0.0.12}", "10.0.0.3}", "10.0.0.13}",
		"subnet: 10.0.0.0/24", "subnet: 10.0.0.0/24, gateway: 10.0.0.254").Replace(tunnelLab))
	for _, l := range []*lab{one, other} {
		l.process = begin(t, "nsenter", "--net=/run/netns/"+f.near, uswitch, "run", l.file, "--trace", "json")
		t.Cleanup(l.stop)
		l.waitUp()
	}
	for _, to := range []string{"10.0.0.12", "10.0.0.13", "10.0.0.20"} {
		if !one.pings("RED", to) {
			t.Errorf("%s does not answer", to)
		}
	}
	if !other.pings("GREEN", "10.0.0.20") || !other.pings("GREEN", "10.0.0.3") {
		t.Error("the second lab's hosts reach not all")
	}
}

// openvswitch gives it Open vSwitch with its userspace datapath, and a host at 10.0.0.20. Its tunnels leave by the bridge that has the
// machine's address.
func (f *far) openvswitch(vni int) {
	f.t.Helper()
	dir := f.t.TempDir()
	must(f.t, "ip", "netns", "add", f.host)
	f.t.Cleanup(func() { must(f.t, "ip", "netns", "del", f.host) })
	f.t.Cleanup(func() {
		for _, daemon := range []string{"ovs-vswitchd", "ovsdb-server"} {
			pid, err := os.ReadFile(dir + "/" + daemon + ".pid")
			if err != nil {
				f.t.Errorf("%s: %v", daemon, err)
				continue
			}
			text := strings.TrimSpace(string(pid))
			must(f.t, "kill", text)
			eventually(f.t, daemon+" ends", func() bool { return exec.Command("kill", "-0", text).Run() != nil })
		}
	})
	f.do(fmt.Sprintf(`export OVS_RUNDIR=%s OVS_DBDIR=%[1]s OVS_LOGDIR=%[1]s
cd $OVS_RUNDIR
ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server conf.db --remote=punix:$PWD/db.sock --pidfile=$PWD/ovsdb-server.pid --log-file=$PWD/db.log --detach
ovs-vsctl --db=unix:$PWD/db.sock --no-wait init
ovs-vswitchd unix:$PWD/db.sock --disable-system --pidfile=$PWD/ovs-vswitchd.pid --log-file=$PWD/vs.log --detach
ctl="ovs-vsctl --db=unix:$PWD/db.sock -t 20"
ip link add host type veth peer name eth0 netns %s
ip link set host up
$ctl add-br phy -- set bridge phy datapath_type=netdev -- add-port phy eth0
ip addr flush dev eth0
ip addr add %s/24 dev phy
ip link set phy up
$ctl add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 host -- add-port br0 vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=%d
ip -n %[2]s addr add 10.0.0.20/24 dev eth0
ip -n %[2]s link set lo up
ip -n %[2]s link set eth0 mtu 1450 address 02:00:00:00:00:20 up
ip netns exec %[2]s ethtool -K eth0 tx off`, dir, f.host, f.peer, f.local, vni))
}

func TestTunnelToOpenVSwitch(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.openvswitch(42)
	l := f.lab()
	eventually(t, "an answer through Open vSwitch", func() bool { return l.pings("RED", "10.0.0.20") })
	for _, size := range []string{"1422", "0"} {
		if out, err := f.ping("-c", "1", "-W", "5", "-M", "do", "-s", size, "10.0.0.3"); err != nil {
			t.Errorf("%s bytes: %v\n%s", size, err, out)
		}
	}
	l.event("the step out of the tunnel", func(e event) bool { return e.Hook == "decap" && strings.Contains(e.Text, "lives behind "+f.peer) })
}

// TestTunnelChecksums: a packet with a wrong outer checksum never reaches the tunnel; the kernel's count is shown, and what makes such
// packets.
func TestTunnelChecksums(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	f.kernel(42)
	l := f.lab()
	if out := l.do("show", "tunnels"); strings.Contains(out, "checksum") {
		t.Errorf("before anything happens:\n%s", out)
	}
	f.do("hping3 -q --udp --badcksum -p 4789 -d 60 -c 5 -i u1000 " + f.local + " >/dev/null 2>&1 || true")
	eventually(t, "the kernel's count is shown", func() bool {
		out := l.do("show", "tunnels")
		return strings.Contains(out, "had a wrong checksum") && strings.Contains(out, "ethtool -K DEV tx off")
	})
}

// TestTunnelJoin captures a ping between two labs on each side, one of whose clocks is two seconds off, and puts the two halves side by
// side.
func TestTunnelJoin(t *testing.T) {
	needs(t)
	t.Parallel()
	f := newFar(t)
	one := newLab(t, f.file())
	other := newLab(t, strings.NewReplacer("LOCAL", f.peer, "PEER", f.local, "10.0.0.2}", "10.0.0.12}", "10.0.0.3}", "10.0.0.13}",
		"subnet: 10.0.0.0/24", "subnet: 10.0.0.0/24, gateway: 10.0.0.254").Replace(tunnelLab))
	var files []string
	var captures []*process
	for l, ns := range map[*lab]string{one: f.near, other: f.ns} {
		l.process = begin(t, "nsenter", "--net=/run/netns/"+ns, uswitch, "run", l.file, "--trace", "off")
		t.Cleanup(l.stop)
		l.waitUp()
	}
	for i, l := range []*lab{one, other} {
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprintf("%c.pcapng", 'a'+i)))
		captures = append(captures, beginCommand(t, l.uswitch("capture", "-w", files[i])))
	}
	eventually(t, "the captures hold a ping", func() bool {
		one.pings("RED", "10.0.0.12")
		small := slices.ContainsFunc(files, func(file string) bool { info, err := os.Stat(file); return err != nil || info.Size() < 4000 })
		return !small
	})
	for _, c := range captures {
		c.signal(syscall.SIGINT)
		if status := c.wait(); status != 0 {
			t.Fatalf("capture ends with status %d: %s", status, c.stderr)
		}
	}
	setAhead(t, files[1], 2*time.Second)
	text := strings.Join(strings.Fields(one.do("trace", "--join", files[0], files[1])), " ")
	contains(t, text, "The clock of b.pcapng is ", "ahead of that of a.pcapng, to within ", "ICMP echo request", one.ns("RED")+" ingress", "| b.pcapng #",
		other.ns("RED")+" egress", "ICMP echo reply")
	var joined struct {
		Least     time.Duration `json:"ahead_least"`
		Most      time.Duration `json:"ahead_most"`
		Crossings []struct{ Doubt int }
	}
	if err := json.Unmarshal([]byte(one.do("trace", "--join", "-o", "json", files[0], files[1])), &joined); err != nil {
		t.Fatal(err)
	}
	if joined.Least > 2*time.Second || joined.Most < 2*time.Second {
		t.Errorf("the clock is said to be between %v and %v ahead", joined.Least, joined.Most)
	}
	if _, text, status := one.try("trace", "--join", files[0]); status != 2 || !strings.Contains(text, "want two captures") {
		t.Errorf("status %d: %s", status, text)
	}
}

// setAhead has a capture's clock go ahead: the packets' stamps are in their blocks, behind type, length and interface.
func setAhead(t *testing.T, file string, by time.Duration) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	for at := 0; at+20 < len(b); at += int(le.Uint32(b[at+4:])) {
		if le.Uint32(b[at:]) == 6 {
			stamp := (uint64(le.Uint32(b[at+12:]))<<32 | uint64(le.Uint32(b[at+16:]))) + uint64(by)
			le.PutUint32(b[at+12:], uint32(stamp>>32))
			le.PutUint32(b[at+16:], uint32(stamp))
		}
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
