package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What a lab takes from the machine, and what the machine may refuse.
//
//	F59  TestF59WhatIsMissing      /dev/net/tun, a capability, mounts: named, and nothing is made
//	F59  TestF59PrivateMounts      a /run of its own is enough
//	F60  TestF60Killed             the next run, and cleanup, remove what is theirs and touch nothing else
//	F61  TestF61Signals            in the middle of a transfer; twice
//	F62  TestF62SecondRun          says who runs it; a socket that nobody answers is replaced
//	     TestNoBridgeAnywhere      no bridge, no veth, no rule of the kernel's: RED pings BLUE
//	     TestAdoptedByPath         x-uswitch: {netns: /proc/PID/ns/net}
//	     TestTwoLabs               side by side, with the same addresses

func TestF59WhatIsMissing(t *testing.T) {
	needs(t, "unshare", "setpriv")
	t.Parallel()
	tests := []struct {
		name string
		argv []string // in front of uswitch run
		says []string
	}{
		{"no /dev/net/tun", []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /dev/net && exec "$0" "$@"`},
			[]string{"/dev/net/tun is missing", "--sim"}},
		{"/dev/net/tun is something else", []string{"unshare", "-m", "sh", "-c", `mount --bind /dev/full /dev/net/tun && exec "$0" "$@"`},
			[]string{"tun", "--sim"}},
		{"no CAP_NET_ADMIN", []string{"setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"},
			[]string{"CAP_NET_ADMIN is missing", "--sim"}},
		{"no CAP_SYS_ADMIN", []string{"setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"},
			[]string{"CAP_SYS_ADMIN is missing", "--sim"}},
		{"nobody", []string{"setpriv", "--reuid", "65534", "--clear-groups"},
			[]string{"CAP_NET_ADMIN", "CAP_SYS_ADMIN", "--sim"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, threeHosts)
			program, file := everybodys(t, l.file)
			text, status := output(t, append(test.argv, program, "run", "--root-only", file)...)
			if status == 0 {
				t.Error("status 0")
			}
			contains(t, text, test.says...)
			if strings.Contains(text, "goroutine ") {
				t.Errorf("not a diagnosis:\n%s", text)
			}
		})
	}
}

// everybodys returns copies of the program and of a lab file that every user may read.
func everybodys(t *testing.T, file string) (program, copied string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "uswitch-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, copied = filepath.Join(dir, "uswitch"), filepath.Join(dir, "lab.yaml")
	must(t, "cp", uswitch, program)
	must(t, "cp", file, copied)
	must(t, "chmod", "755", dir, program, copied)
	return program, copied
}

func TestF59PrivateMounts(t *testing.T) {
	needs(t, "unshare")
	t.Parallel()
	l := newLab(t, strings.ReplaceAll(threeHosts, "RED@: {", "RED@: {command: ping -c 1 "+blueIP+", "))
	text, status := output(t, "unshare", "-m", "sh", "-c", `mount -t tmpfs none /run && exec "$0" run "$1" --trace off -- ls /run/netns`, uswitch, l.file)
	if status != 0 {
		t.Errorf("status %d:\n%s", status, text)
	}
	contains(t, text, l.ns("RED"), l.ns("BLUE"))
}

func TestNoBridgeAnywhere(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, strings.Replace(threeHosts, "br0: {", "br1: {}\n  br0: {", 1))
	if !l.pings("RED", blueIP) {
		t.Error("RED does not reach BLUE")
	}
	for _, kind := range []string{"bridge", "veth"} {
		for _, where := range [][]string{{"ip"}, {"ip", "-n", l.ns("RED")}, {"ip", "-n", l.ns("BLUE")}} {
			if text := must(t, append(where, "link", "show", "type", kind)...); text != "" {
				t.Errorf("a %s: %s", kind, text)
			}
		}
	}
	if now := links(); now != linksBefore {
		t.Errorf("the machine's links are %s, and were %s", now, linksBefore)
	}
	if text := l.exec("RED", "ip", "-d", "link", "show", "eth0"); !strings.Contains(text, "tun type tap") {
		t.Errorf("eth0 is not a TAP:\n%s", text)
	}
	for _, tool := range [][]string{{"nft", "list", "ruleset"}, {"iptables-legacy-save"}, {"iptables-nft-save"}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			continue
		}
		for _, host := range []string{"RED", "BLUE"} {
			text, _ := output(t, l.in(host, tool...)...)
			if strings.Contains(text, "chain") || strings.Contains(text, "-A ") {
				t.Errorf("%v in %s:\n%s", tool, host, text)
			}
		}
	}
	if modules, err := os.ReadFile("/proc/modules"); err == nil {
		for line := range strings.Lines(string(modules)) {
			if name, _, _ := strings.Cut(line, " "); name == "bridge" || name == "br_netfilter" {
				t.Logf("the module %s is loaded, and may be: other tests use it", name)
			}
		}
	}
}

func TestAdoptedByPath(t *testing.T) {
	needs(t, "unshare")
	t.Parallel()
	container := begin(t, "unshare", "-n", "sleep", "1000")
	machine, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/proc/%d/ns/net", container.cmd.Process.Pid)
	eventually(t, "the container has a namespace of its own", func() bool {
		ns, err := os.Readlink(path)
		return err == nil && ns != machine
	})
	l := newLab(t, strings.Replace(threeHosts, "GREEN@: {", "GREEN@: {x-uswitch: {netns: "+path+"}, ", 1))
	l.run()
	l.waitUp()
	if !l.pings("RED", greenIP) {
		t.Error("RED does not reach the container")
	}
	must(t, "nsenter", "--net="+path, "ping", "-c", "1", "-W", "5", redIP)
	contains(t, l.do("exec", l.ns("GREEN"), "--", "ip", "addr"), greenIP)
	l.do("stop")
	l.wait()
	text := must(t, "nsenter", "--net="+path, "ip", "-o", "link")
	if strings.Contains(text, "eth0") {
		t.Errorf("left in the container:\n%s", text)
	}
}

func TestTwoLabs(t *testing.T) {
	needs(t)
	t.Parallel()
	one, two := startLab(t, threeHosts), startLab(t, threeHosts)
	probe := one.probe("RED", blueIP)
	if !two.pings("RED", blueIP) {
		t.Error("RED of the second lab does not reach its BLUE")
	}
	contains(t, one.do("ps"), one.name, two.name)
	if _, text, status := one.try("show", "fdb", "--lab", two.name); status != 0 {
		t.Errorf("--lab: status %d: %s", status, text)
	}
	if text, status := output(t, "env", "-u", "USWITCH_LAB", uswitch, "show", "fdb"); status == 0 || !strings.Contains(text, "--lab") {
		t.Errorf("with several labs up, none is named: status %d: %s", status, text)
	}
	two.do("stop")
	if status := two.wait(); status != 0 {
		t.Errorf("the second lab ends with status %d", status)
	}
	for _, e := range one.events(func(e event) bool { return e.Reason != "" }) {
		t.Errorf("the first lab has dropped: %+v", e)
	}
	probe.lostNothing()
}

func TestF60Killed(t *testing.T) {
	needs(t)
	t.Parallel()
	kills(t)
	l := startLab(t, threeHosts)
	foreign := l.own("FOREIGN@")
	must(t, "ip", "netns", "add", foreign)
	t.Cleanup(func() { must(t, "ip", "netns", "del", foreign) })
	other := startLab(t, threeHosts)
	probe := other.probe("RED", blueIP)

	l.kill()
	if text := must(t, "ip", "-n", l.ns("RED"), "-o", "link"); strings.Contains(text, "eth0") {
		t.Errorf("RED still has an interface:\n%s", text)
	}
	if _, _, status := l.try("show", "fdb"); status == 0 {
		t.Error("somebody answers for a lab that was killed")
	}
	// Somebody else takes a name over, by hand: that is not the lab's any more.
	must(t, "ip", "netns", "del", l.ns("GREEN"))
	must(t, "ip", "netns", "add", l.ns("GREEN"))
	defer must(t, "ip", "netns", "del", l.ns("GREEN"))

	l.run("--trace", "json", "--adopt")
	l.waitUp()
	eventually(t, "the second life says what it has found", func() bool { // which may be read a moment after it is up
		said := l.stderr.String()
		return strings.Contains(said, l.ns("RED")+" of lab "+l.name+": removed") && strings.Contains(said, l.ns("GREEN"))
	})
	if !l.pings("RED", blueIP) {
		t.Error("RED does not reach BLUE in the second life")
	}
	l.kill()
	l.do("cleanup")
	if text := l.do("cleanup"); strings.Contains(text, l.name) {
		t.Errorf("a second cleanup still finds something: %s", text)
	}
	for _, name := range []string{foreign, l.ns("GREEN")} {
		if _, err := os.Stat("/run/netns/" + name); err != nil {
			t.Errorf("cleanup has removed what is not uswitch's: %v", err)
		}
	}
	probe.lostNothing()
}

func TestF61Signals(t *testing.T) {
	needs(t, "iperf3", "tshark")
	t.Parallel()
	transfer := strings.Replace(strings.Replace(threeHosts, "BLUE@: {", "BLUE@: {command: iperf3 -s -1, ", 1),
		"GREEN@: {", "GREEN@: {command: sleep 1000, ", 1)
	for name, end := range map[string]struct {
		signal syscall.Signal
		status int
	}{
		"SIGINT": {syscall.SIGINT, 130}, "SIGTERM": {syscall.SIGTERM, 143}, "SIGHUP": {syscall.SIGHUP, 129},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, strings.Replace(transfer, "RED@: {", "RED@: {command: sleep 1000, ", 1))
			capture := filepath.Join(t.TempDir(), "all.pcapng")
			l.run("--trace", "off", "--pcap", capture)
			l.waitUp()
			eventually(t, "BLUE listens", func() bool { return strings.Contains(l.exec("BLUE", "ss", "-Hlnt"), ":5201") })
			client := begin(t, l.in("RED", "iperf3", "-c", blueIP, "-t", "1000", "-b", "2M", "--forceflush", "-i", "0.2")...)
			client.stdout.find(t, 0, "transfer", containing("Mbits/sec"))
			l.signal(end.signal)
			if status := l.wait(); status != end.status {
				t.Errorf("status %d, want %d; stderr:\n%s", status, end.status, l.stderr)
			}
			if text, status := output(t, "capinfos", "-c", capture); status != 0 {
				t.Errorf("capinfos: status %d: %s", status, text)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		kills(t)
		l := newLab(t, strings.Replace(threeHosts, "RED@: {", "RED@: {command: ['sh', '-c', 'trap \"\" TERM INT; echo deaf; while :; do sleep 0.1; done'], ", 1))
		l.run()
		l.waitUp()
		l.stderr.find(t, 0, "RED's command", containing("deaf"))
		l.signal(syscall.SIGINT)
		eventually(t, "the lab goes down", func() bool {
			l.signal(syscall.SIGINT)
			select {
			case <-l.ended:
				return true
			default:
				return false
			}
		})
		if status := l.wait(); status != 130 {
			t.Errorf("status %d, want 130", status)
		}
		l.do("cleanup")
	})
}

func TestF62SecondRun(t *testing.T) {
	needs(t, "socat")
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("RED", blueIP)
	_, text, status := l.try("run", l.file)
	if pid := fmt.Sprintf("process %d", l.cmd.Process.Pid); status != 1 || !strings.Contains(text, pid) {
		t.Errorf("a second run: status %d, want 1 and %s: %s", status, pid, text)
	}
	probe.lostNothing()
	l.do("stop")
	l.wait()

	stale := begin(t, "socat", "UNIX-LISTEN:"+l.socket(), "STDOUT")
	eventually(t, "a socket", func() bool { _, err := os.Stat(l.socket()); return err == nil })
	stale.kill()
	if _, err := os.Stat(l.socket()); err != nil {
		t.Fatal("socat has removed its socket: this tests nothing")
	}
	l.run()
	l.waitUp()
}
