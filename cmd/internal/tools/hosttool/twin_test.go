package hosttool_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
)

// twin is a kernel bridge that is built as a lab is, in namespaces of its own: the machine that a tutorial's reader has.
// Its devices have the lab's names and addresses, so that the programs' answers can be compared word by word.
//
//	lab:  RED eth0 ---- uswitch, br0 11.11.11.1 ---- eth0 BLUE
//	twin: RED eth0 ---- veth... br0 11.11.11.1 veth... ---- eth0 BLUE
type twin struct {
	t      *testing.T
	lab    *testLab
	bridge string            // the namespace of br0
	hosts  map[string]string // and those of the hosts
}

// newTwin builds the twin of a lab.
func newTwin(t *testing.T, l *testLab) *twin {
	t.Helper()
	w := &twin{t: t, lab: l, bridge: "twin" + l.suffix, hosts: map[string]string{}}
	w.namespace(w.bridge)
	var devices []api.Device
	check(t, l.client.Get(t.Context(), "/v1/devices", nil, &devices))
	var hosts []api.Host
	check(t, l.client.Get(t.Context(), "/v1/hosts", nil, &hosts))
	nics := map[string]api.Interface{}
	for _, h := range hosts {
		nics[h.Name] = h.Interfaces[0]
	}
	for _, d := range devices {
		switch d.Kind {
		case api.KindBridge:
			w.ip(w.bridge, "link", "add", d.Name, "address", d.MAC.String(), "txqueuelen", "0", "type", "bridge", "mcast_snooping", "0")
			w.ip(w.bridge, "addr", "add", d.Address.String(), "brd", "+", "dev", d.Name)
			w.ip(w.bridge, "link", "set", d.Name, "up")
		case api.KindVeth:
			w.plug(d, nics[d.Host].Address, nics[d.Host].MAC.String())
		}
	}
	w.noGroups()
	return w
}

// plug gives the bridge a host.
func (w *twin) plug(near api.Device, address netip.Prefix, mac string) {
	w.t.Helper()
	inside := "twin" + near.Host
	w.hosts[strings.TrimSuffix(near.Host, w.lab.suffix)] = inside
	w.namespace(inside)
	w.ip(w.bridge, "link", "add", near.Name, "address", near.MAC.String(), "txqueuelen", "0", "type", "veth", "peer", "name", "eth0", "netns", inside, "address", mac)
	w.ip(w.bridge, "link", "set", near.Name, "master", near.Master, "up")
	w.disableIPv6(inside, "1") // a lab's hosts have none
	w.ip(inside, "addr", "add", address.String(), "dev", "eth0")
	w.ip(inside, "link", "set", "eth0", "up")
}

func (w *twin) namespace(name string) {
	w.t.Helper()
	must(w.t, "ip", "netns", "add", name)
	w.t.Cleanup(func() { must(w.t, "ip", "netns", "del", name) })
	w.ip(name, "link", "set", "lo", "up")
}

// noGroups takes IPv6 off the bridge and its ports. A device whose carrier comes at that moment keeps the group of all nodes;
// once more on and off, and it is gone.
func (w *twin) noGroups() {
	w.t.Helper()
	for range 100 {
		w.disableIPv6(w.bridge, "1")
		if groups, err := exec.Command("bridge", "-n", w.bridge, "fdb").Output(); err == nil && !strings.Contains(string(groups), "33:33:") {
			return
		}
		w.disableIPv6(w.bridge, "0")
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatal(w.bridge, " has IPv6 still")
}

func (w *twin) disableIPv6(namespace, value string) {
	w.t.Helper()
	must(w.t, "ip", "netns", "exec", namespace, "sh", "-c", "echo "+value+" > /proc/sys/net/ipv6/conf/all/disable_ipv6")
}

func (w *twin) ip(namespace string, args ...string) {
	w.t.Helper()
	must(w.t, append([]string{"ip", "-n", namespace}, args...)...)
}

// real runs a program on the twin.
func (w *twin) real(command string) (a answer) {
	w.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", w.bridge}, strings.Fields(command)...)...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	if err := cmd.Run(); cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	// ip looks for the names of namespaces, and somebody else's may go meanwhile.
	return answer{out.String(), strings.ReplaceAll(errs.String(), "Error: Peer netns reference is invalid.\n", ""), cmd.ProcessState.ExitCode()}
}

// inHosts runs a program in a host of the lab and in its twin; it must succeed.
func (w *twin) inHosts(host string, argv ...string) {
	w.t.Helper()
	for _, ns := range []string{w.lab.ns(host), w.hosts[host]} {
		must(w.t, append([]string{"ip", "netns", "exec", ns}, argv...)...)
	}
}

// must runs a program that has to succeed.
func must(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v:\n%s", strings.Join(argv, " "), err, out)
	}
}
