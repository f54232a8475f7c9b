package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The lab red-blue on names of its own, end to end:
//
//	RED 11.11.11.2 ──┐
//	                 ├── br0 ── gateway 11.11.11.1 ── uplink ── 8.8.8.8
//	BLUE 11.11.11.3 ─┘
const redBlue = `
name: LAB
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24, gateway: 11.11.11.1}]}}
services:
  RED:
    command: uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8
    networks: {br0: {ipv4_address: 11.11.11.2}}
  BLUE:
    networks: {br0: {ipv4_address: 11.11.11.3}}
    x-uswitch: {passive: true}
x-uswitch: {uplink: sim}
`

// resting is the same lab, which stays up and does nothing by itself.
var resting = strings.ReplaceAll(redBlue, "    command: uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8\n", "")

// stubborn is a lab whose RED ignores requests to end, and leaves something behind in its namespace.
var stubborn = strings.ReplaceAll(redBlue, "uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8",
	`["sh", "-c", "sleep 1000 & setsid sleep 2 & echo ready; sleep 1000"]`)

func TestRun(t *testing.T) {
	need(t)
	l := newLab(t, redBlue)
	out, errs, status := l.try("run", l.file)
	if status != 0 {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	contains(t, out,
		l.red+" | 64 bytes from 11.11.11.3: icmp_seq=1 ttl=64",
		l.red+" | 64 bytes from 8.8.8.8: icmp_seq=1 ttl=61",
		"who has 11.11.11.3? tell 11.11.11.2",
		"flood        to "+l.blue+" and the gateway",
		"02:42:0b:0b:0b:02 lives behind "+l.red,
		"MASQUERADE: 11.11.11.2 id",
		"the answer of connection 2, known by its reply tuple:")
	l.wantNothingLeft()
}

func TestRunEndsWithTheStatusOf(t *testing.T) {
	need(t)
	for name, c := range map[string]struct {
		command string // of RED
		args    []string
		want    int
	}{
		"the first command that fails":     {"sh -c 'exit 7'", nil, 7},
		"a signal":                         {"sh -c 'kill -KILL $$$$'", nil, 137},
		"a command that is not there":      {"no-such-program", nil, 127},
		"a file that is no program":        {"/etc/passwd", nil, 126},
		"COMMAND and of nothing else":      {"sh -c 'exit 7'", []string{"--", "sh", "-c", "exit 9"}, 9},
		"a COMMAND that a signal ends":     {"uswitch ping 11.11.11.3", []string{"--", "sh", "-c", "kill -TERM $$"}, 143},
		"COMMAND, which knows of its lab":  {"uswitch ping 11.11.11.3", []string{"--", "uswitch", "show", "hosts"}, 0},
		"nothing: everything went well":    {"'true'", nil, 0},
		"nothing that was left running":    {"sh -c 'sleep 1000 & exit 0'", nil, 0},
		"nothing that still holds outputs": {"sh -c 'setsid sleep 3 & exit 0'", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, strings.ReplaceAll(redBlue, "uswitch ping -c 1 11.11.11.3 11.11.11.1 8.8.8.8", c.command))
			cmd := append([]string{"run", "--trace", "off", l.file}, c.args...)
			if out, errs, status := l.try(cmd...); status != c.want {
				t.Errorf("status %d, want %d\n%s%s", status, c.want, out, errs)
			}
			l.wantNothingLeft()
		})
	}
}

func TestLookInside(t *testing.T) {
	need(t, "ip", "curl")
	l := newLab(t, resting)
	l.up()
	contains(t, l.do("exec", l.red, "--", "ip", "addr", "show", "eth0"), "inet 11.11.11.2/24", "link/ether 02:42:0b:0b:0b:02", "mtu 1500")
	contains(t, l.do("exec", l.red, "--", "ip", "route"), "default via 11.11.11.1 dev eth0")
	contains(t, l.do("exec", l.red, "--", "uswitch", "ping", "-c", "1", "11.11.11.3"), "64 bytes from 11.11.11.3", "0% packet loss")
	if _, _, status := l.try("exec", l.red, "--", "sh", "-c", "exit 42"); status != 42 {
		t.Errorf("exec: status %d, want 42", status)
	}
	if out, err := exec.Command("ip", "netns", "exec", l.red, "cat", "/sys/class/net/eth0/address").CombinedOutput(); err != nil ||
		string(out) != "02:42:0b:0b:0b:02\n" {
		t.Errorf("ip netns exec: %s %v", out, err)
	}

	contains(t, l.do("show", "hosts"), l.red, "11.11.11.3/24")
	contains(t, l.do("show", "ports"), l.blue, "gateway")
	contains(t, l.do("show", "networks"), "br0", "masqueraded")
	contains(t, l.do("show", "fdb"), "02:42:0b:0b:0b:03 dev "+l.blue+" master br0\n", "02:42:0b:0b:0b:01 dev br0 master br0 permanent\n")
	l.do("exec", l.red, "--", "uswitch", "ping", "-c", "1", "8.8.8.8")
	contains(t, l.do("show", "neigh"), "11.11.11.2 dev br0 lladdr 02:42:0b:0b:0b:02 ")
	contains(t, l.do("show", "routes"), "default via 192.168.104.1 dev uplink", "11.11.11.0/24 dev br0 proto kernel scope link src 11.11.11.1")
	contains(t, l.do("conntrack", "-L"), "src=11.11.11.2 dst=8.8.8.8 type=8 code=0 id=", "src=8.8.8.8 dst=192.168.104.2 type=0")
	contains(t, l.do("iptables", "-t", "nat", "-S"), "-A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE")

	var fdb []map[string]any
	curl, err := exec.Command("curl", "-s", "--unix-socket", "/run/uswitch/"+l.name+".sock", "http://uswitch/v1/fdb").Output()
	if err != nil || json.Unmarshal(curl, &fdb) != nil || len(fdb) == 0 {
		t.Fatalf("curl: %v\n%s", err, curl)
	}
	for _, key := range []string{"mac", "ifname", "master", "flags", "state"} {
		if _, ok := fdb[0][key]; !ok {
			t.Errorf("/v1/fdb has no key %s: %s", key, curl)
		}
	}
}

func TestChangeWhileItRuns(t *testing.T) {
	need(t)
	l := newLab(t, resting)
	l.up("--trace", "off")
	ping := func(want int, where string) {
		t.Helper()
		if out, _, status := l.try("exec", l.red, "--", "uswitch", "ping", "-c", "1", "-W", "0.5", where); status != want {
			t.Errorf("ping %s: status %d, want %d\n%s", where, status, want, out)
		}
	}
	ping(0, "8.8.8.8")
	l.do("set", "gateway", "ip_forward=0")
	ping(1, "8.8.8.8")
	contains(t, l.do("show", "drops"), "ip-forward-off")
	l.do("set", "gateway", "ip_forward=1")
	ping(0, "8.8.8.8")
	l.do("iptables", "-I", "FORWARD", "-p", "icmp", "-j", "DROP")
	ping(1, "8.8.8.8")
	rules := l.do("iptables-save")
	l.do("iptables", "-D", "FORWARD", "1")
	ping(0, "8.8.8.8")
	contains(t, rules, "-A FORWARD -p icmp -j DROP\n")

	ping(0, "11.11.11.3")
	for _, host := range []string{l.red, l.blue} {
		l.do("set", "port", host, "isolated=on")
	}
	ping(1, "11.11.11.3")
	l.do("set", "port", l.blue, "isolated=off")
	ping(0, "11.11.11.3")
	l.do("set", "fdb", "02:42:0b:0b:0b:99", "port="+l.blue)
	contains(t, l.do("show", "fdb"), "02:42:0b:0b:0b:99 dev "+l.blue+" master br0 static\n")

	for _, wrong := range [][]string{{"set", "port", "NOBODY", "flood=on"}, {"set", "gateway", "ip_forward=maybe"},
		{"iptables", "-A", "NOCHAIN", "-j", "ACCEPT"}, {"show", "fdb", "--lab", "no-such-lab"}, {"exec", "NOBODY", "true"}} {
		if _, errs, status := l.try(wrong...); status == 0 || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: status %d, %q", wrong, status, errs)
		}
	}
}

func TestTrace(t *testing.T) {
	need(t)
	l := newLab(t, resting)
	l.up("--trace", "off")
	trace := l.command("trace", "-o", "json", "--proto", "icmp", "--hook", "egress")
	var out buffer
	trace.Stdout = &out
	if err := trace.Start(); err != nil {
		t.Fatal(err)
	}
	l.eventually("the trace shows a ping", func() bool {
		l.do("exec", l.red, "--", "uswitch", "ping", "-c", "1", "11.11.11.3")
		return strings.Count(out.String(), "\n") >= 2
	})
	first, _, _ := strings.Cut(out.String(), "\n")
	var event map[string]any
	if err := json.Unmarshal([]byte(first), &event); err != nil || event["hook"] != "egress" {
		t.Errorf("%v: %s", err, first)
	}
	// The lab's end is the trace's.
	l.do("stop")
	if err := trace.Wait(); err != nil {
		t.Errorf("trace ends with %v", err)
	}
	l.wantNothingLeft()
}

func TestCaptures(t *testing.T) {
	need(t, "tshark")
	l := newLab(t, redBlue)
	file := filepath.Join(t.TempDir(), "all.pcapng")
	l.do("run", "--trace", "off", "--pcap", file, l.file)
	fields := func(file string) string {
		t.Helper()
		out, err := exec.Command("tshark", "-r", file, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment").Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		return string(out)
	}
	contains(t, fields(file), l.red+" ingress\t", "br0 flood\tto "+l.blue, "gateway postrouting\tMASQUERADE", "uplink egress\t")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the capture: %v %v", info.Mode(), err)
	}
	if _, errs, status := l.try("run", "--pcap", file, l.file); status != 1 || !strings.Contains(errs, "--force") {
		t.Errorf("an existing capture: status %d, %s", status, errs)
	}
	bad, err := exec.Command("tshark", "-r", file, "-o", "ip.check_checksum:TRUE", "-Y", "_ws.malformed || ip.checksum.status == Bad || icmp.checksum.status == Bad").Output()
	if err != nil || len(bad) > 0 {
		t.Errorf("tshark finds fault: %v\n%s", err, bad)
	}

	live := newLab(t, resting)
	live.up("--trace", "off")
	second := filepath.Join(t.TempDir(), "live.pcapng")
	capture := live.command("capture", "-w", second)
	if err := capture.Start(); err != nil {
		t.Fatal(err)
	}
	live.eventually("the capture holds a ping", func() bool {
		live.do("exec", live.red, "--", "uswitch", "ping", "-c", "1", "11.11.11.3")
		info, err := os.Stat(second)
		return err == nil && info.Size() > 1000
	})
	_ = capture.Process.Signal(os.Interrupt)
	if err := capture.Wait(); err != nil {
		t.Errorf("capture ends with %v", err)
	}
	contains(t, fields(second), live.blue+" egress\t")
}

func TestEveryWayDown(t *testing.T) {
	need(t)
	for name, end := range map[string]func(*lab){
		"stop":    func(l *lab) { l.do("stop") },
		"SIGINT":  func(l *lab) { _ = l.cmd.Process.Signal(syscall.SIGINT) },
		"SIGTERM": func(l *lab) { _ = l.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(l *lab) { _ = l.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, resting)
			l.up()
			if _, errs, status := l.try("run", l.file); status != 1 || !strings.Contains(errs, "is up already: process") {
				t.Errorf("a second run: status %d, %s", status, errs)
			}
			end(l)
			if err := l.cmd.Wait(); err != nil {
				t.Errorf("the run ends with %v\n%s", err, l.errors.String())
			}
			l.wantNothingLeft()
		})
	}
}

func TestInterruptedCommands(t *testing.T) {
	need(t)
	l := newLab(t, stubborn)
	l.up("--trace", "off")
	l.eventually("RED runs", func() bool { return strings.Contains(l.out.String(), "ready") })
	_ = l.cmd.Process.Signal(syscall.SIGTERM)
	_ = l.cmd.Wait()
	if status := l.cmd.ProcessState.ExitCode(); status != 143 {
		t.Errorf("status %d, want 143: its commands had not ended\n%s", status, l.errors.String())
	}
	l.wantNothingLeft()
}

func TestAfterKill(t *testing.T) {
	need(t)
	for name, clean := range map[string]func(*lab){
		"the next run":    func(l *lab) { l.do("run", "--trace", "off", l.file, "--", "true") },
		"uswitch cleanup": func(l *lab) { contains(l.t, l.do("cleanup"), l.red, l.blue) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, resting)
			l.up()
			_ = l.cmd.Process.Kill()
			_ = l.cmd.Wait()
			if len(l.leftovers()) == 0 {
				t.Fatal("a killed lab leaves nothing behind: this test tests nothing")
			}
			clean(l)
			l.wantNothingLeft()
		})
	}
}

func TestUnplugged(t *testing.T) {
	need(t, "ip")
	l := newLab(t, resting)
	l.up("--trace", "off")
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v %s", args, err, out)
		}
	}
	ip("-n", l.red, "link", "set", "eth0", "mtu", "1400")
	l.eventually("the new MTU is told", func() bool { return strings.Contains(l.errors.String(), l.red+": eth0 has an MTU of 1400 now") })
	ip("netns", "del", l.red)
	l.eventually("the loss is told", func() bool { return strings.Contains(l.errors.String(), l.red+": unplugged: ") })
	if ports := l.do("show", "ports"); strings.Contains(ports, l.red) {
		t.Errorf("the port is still there:\n%s", ports)
	}
	contains(t, l.do("show", "hosts"), "br0 (unplugged)")
	contains(t, l.do("exec", l.blue, "--", "uswitch", "ping", "-c", "1", "8.8.8.8"), " 0% packet loss")
	l.do("stop")
	if n := strings.Count(l.errors.String(), "unplugged"); n != 1 {
		t.Errorf("told %d times:\n%s", n, l.errors.String())
	}
	l.wantNothingLeft()
}

func TestAdopted(t *testing.T) {
	need(t, "ip")
	l := newLab(t, redBlue)
	if out, err := exec.Command("ip", "netns", "add", l.red).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	defer exec.Command("ip", "netns", "del", l.red).Run()
	if out, errs, status := l.try("run", "--trace", "off", l.file); status != 0 {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if found := l.leftovers(); len(found) != 1 || found[0] != "/run/netns/"+l.red {
		t.Errorf("left: %v, want the namespace that was there before", found)
	}
}

func TestSimulated(t *testing.T) {
	l := newLab(t, redBlue)
	first := l.do("run", "--sim", l.file)
	contains(t, first, l.red+" | 64 bytes from 8.8.8.8: icmp_seq=1 ttl=61", "MASQUERADE: 11.11.11.2 id")
	if second := l.do("run", "--sim", l.file); second != first {
		t.Error("two simulated runs differ")
	}
	if _, errs, status := l.try("run", "--sim", "web"); status != 1 || !strings.Contains(errs, "WEB: `uswitch serve -p 80` cannot be simulated") {
		t.Errorf("status %d, %s", status, errs)
	}
}

// TestEveryExampleWorks takes the example at the end of each command's help for its word.
func TestEveryExampleWorks(t *testing.T) {
	l := newLab(t, redBlue)
	help := l.do("-h")
	commands := 0
	for line := range strings.Lines(help) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || name == "" || name == "uswitch" || strings.HasPrefix(name, "-") {
			continue
		}
		commands++
		text := l.do(name, "-h")
		_, example, found := strings.Cut(text, "\nExample:\n")
		if !found || !strings.HasPrefix(example, "  uswitch ") || strings.Count(example, "\n") != 1 {
			t.Errorf("uswitch %s -h does not end with an example:\n%s", name, text)
		}
	}
	if commands < 18 {
		t.Errorf("only %d commands in:\n%s", commands, help)
	}
}
