package test

import (
	"bytes"
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

	"golang.org/x/sys/unix"
)

// Labs of an ordinary user, on real network interfaces, in a user namespace of their own.
//
//	TestRootlessRun          run: the mode is told, hosts reach each other, the status is the command's, which runs outside
//	TestRootlessBackground   up -d, ls, exec, docker, publish, check, down: from any shell of the user
//	TestRootlessSubordinate  newuidmap's ids are the users of hosts
//	TestRootlessElsewhere    shell, check, learn
//	TestRootlessRights       capabilities are what show lab says
//	TestRootlessSideBySide   two users' RED, and two of one user
//	TestRootlessKilled       kill -9 at any moment of run, up -d and down: the next start, or cleanup, leaves nothing

// ordinary is an ordinary user, with a /dev/net/tun that everybody may open and nothing else.
type ordinary struct {
	t       *testing.T
	uid     int
	dir     string // theirs
	program string
	tun     string   // the mode of /dev/net/tun
	front   []string // where the person is: in front of all that they run
	more    string   // shell that prepares the person's mounts further
}

var ordinaries atomic.Int64

func newOrdinary(t *testing.T) *ordinary {
	t.Helper()
	needs(t, "unshare", "setpriv", "nsenter")
	p := &ordinary{t: t, uid: 60000 + os.Getpid()%400*50 + int(ordinaries.Add(1))%50, tun: "666"}
	p.program, _ = everybodys(t, uswitch)
	dir, err := os.MkdirTemp("", "uswitch-")
	if err != nil {
		t.Fatal(err)
	}
	p.dir = dir
	must(t, "chown", fmt.Sprintf("%d:%[1]d", p.uid), dir)
	t.Cleanup(func() {
		p.nothingLeft()
		os.RemoveAll(dir)
	})
	return p
}

// argv puts in front of a program what makes it the person's.
func (p *ordinary) argv(argv ...string) []string {
	front := `set -e; mount -t tmpfs -o dev none /mnt; mknod -m "$1" /mnt/tun c 10 200; mount --bind /mnt/tun /dev/net/tun
` + p.more + `
shift; cd "$1"; shift; exec "$@"`
	id := fmt.Sprint(p.uid)
	return append(append(slices.Clone(p.front), "unshare", "-m", "sh", "-c", front, "sh", p.tun, p.dir, "setpriv", "--reuid", id, "--regid", id, "--clear-groups",
		"env", "-u", "USWITCH_LAB", "HOME="+p.dir, "XDG_RUNTIME_DIR="+p.dir), argv...)
}

func (p *ordinary) try(args ...string) (text string, status int) {
	p.t.Helper()
	return output(p.t, p.argv(append([]string{p.program}, args...)...)...)
}

func (p *ordinary) do(args ...string) string {
	p.t.Helper()
	text, status := p.try(args...)
	if status != 0 {
		p.t.Fatalf("uswitch %s: status %d\n%s", strings.Join(args, " "), status, text)
	}
	return text
}

// write makes a lab file for the person.
func (p *ordinary) write(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// nothingLeft reports what is left of the person's labs: processes, and files in their directory.
func (p *ordinary) nothingLeft() {
	p.t.Helper()
	var left []string
	for range 100 { // what was killed takes its time to go
		if left = p.processes(); len(left) == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	entries, _ := os.ReadDir(filepath.Join(p.dir, "uswitch"))
	for _, e := range entries {
		if e.Name() != "inside" {
			left = append(left, e.Name())
		}
	}
	if inside, _ := os.ReadDir(filepath.Join(p.dir, "uswitch", "inside")); len(inside) > 0 {
		left = append(left, "inside is not empty")
	}
	if len(left) > 0 {
		p.t.Errorf("left behind: %v", left)
	}
}

// processes lists what runs as the person.
func (p *ordinary) processes() (all []string) {
	for pid, status := range p.statuses() {
		if strings.Contains(status, "\nState:\tZ") {
			continue
		}
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		all = append(all, strings.ReplaceAll(string(command), "\x00", " "))
	}
	return all
}

// statuses returns what /proc/PID/status says of the person's processes.
func (p *ordinary) statuses() map[int]string {
	found := map[int]string{}
	paths, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, fmt.Appendf(nil, "\nUid:\t%d\t", p.uid)) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(path, "/proc/%d/status", &pid); err == nil {
			found[pid] = string(text)
		}
	}
	return found
}

const rootlessLine = "rootless: in a user namespace of its own"

func TestRootlessRun(t *testing.T) {
	t.Parallel()
	p := newOrdinary(t)
	lab := p.write("lab.yaml", strings.ReplaceAll(strings.ReplaceAll(threeHosts, "@", ""), "RED: {", "RED: {command: ping -c 1 "+blueIP+", "))
	text := p.do("run", lab, "--", "sh", "-c", "sleep 1")
	contains(t, text, rootlessLine, "1 received", "ICMP echo reply")
	contains(t, p.do("run", "red-blue"), rootlessLine, "1 received", "MASQUERADE") // which ends by itself
	text, status := p.try("run", "--trace", "off", lab, "--", "sh", "-c", "id -u; ls -d "+p.dir+"/uswitch/inside/netns; exit 7")
	if status != 7 {
		t.Errorf("status %d, want the command's", status)
	}
	contains(t, text, fmt.Sprintf("\n%d\n", p.uid), "No such file or directory") // it runs outside
	if text, status := p.try("run", "--root-only", lab); status != 125 {
		t.Errorf("--root-only: status %d\n%s", status, text)
	}
	contains(t, p.do("run", "--sim", "red-blue"), "1 received")
}

func TestRootlessBackground(t *testing.T) {
	t.Parallel()
	p := newOrdinary(t)
	lab := p.write("lab.yaml", strings.ReplaceAll(threeHosts, "@", ""))
	contains(t, p.do("up", "-d", lab), rootlessLine, "lab lab is up, as process")
	defer p.try("down")
	contains(t, p.do("ls"), "running(3)")
	contains(t, p.do("exec", "RED", "--", "ip", "-4", "-br", "addr"), redIP)
	contains(t, p.do("exec", "RED", "--", "ping", "-c", "1", "-W", "5", blueIP), "1 received")
	contains(t, p.do("exec", "RED", "--", "sh", "-c", "pwd; exit 0"), p.dir)
	if _, status := p.try("exec", "RED", "--", "sh", "-c", "exit 9"); status != 9 {
		t.Errorf("exec: status %d", status)
	}
	contains(t, p.do("exec", "RED", "--", p.program, "exec", "BLUE", "--", "ip", "-4", "-br", "addr"), blueIP) // from inside
	if text := p.do("exec", "RED", "--", "ip", "-6", "addr", "show", "dev", "eth0"); strings.Contains(text, "inet6") {
		t.Errorf("eth0 has IPv6:\n%s", text)
	}
	contains(t, p.do("docker", "run", "--rm", "--network", "lab_br0", "alpine", "ping", "-c", "1", "-W", "5", redIP), "1 packets received") // busybox's
	contains(t, p.do("docker", "run", "-d", "--name", "web", "--network", "lab_br0", "alpine", "sleep", "1000"))
	contains(t, p.do("docker", "exec", "web", "ip", "-4", "-o", "addr"), "eth0")
	p.do("docker", "rm", "-f", "web")
	contains(t, p.do("explain", "RED", "BLUE"), "BLUE")
	if text, status := p.try("up", "-d", lab); status == 0 || !strings.Contains(text, "is up already") {
		t.Errorf("a second one: status %d, %s", status, text)
	}
	p.do("down")
	contains(t, p.do("cleanup"), "nothing was left behind")
}

// TestRootlessSubordinate: where newuidmap gives a user more ids, programs of hosts may become other users.
func TestRootlessSubordinate(t *testing.T) {
	t.Parallel()
	p := newOrdinary(t)
	needs(t, "newuidmap")
	p.more = strings.ReplaceAll(`for f in passwd group subuid subgid; do { cat /etc/$f; case $f in
	passwd) echo user-ID:x:ID:ID::/tmp:/bin/sh;; group) echo user-ID:x:ID:;; *) echo user-ID:200000:65536;; esac; } >/mnt/$f; mount --bind /mnt/$f /etc/$f; done`, "ID", fmt.Sprint(p.uid))
	lab := p.write("lab.yaml", strings.ReplaceAll(strings.ReplaceAll(threeHosts, "@", ""), "RED: {",
		"RED: {command: [sh, -c, 'setpriv --reuid 33 --regid 33 --clear-groups id -u; cat /proc/self/uid_map'], "))
	text := p.do("run", "--trace", "off", lab, "--", "sleep", "1")
	contains(t, text, rootlessLine, "RED | 33\n")
	if !strings.Contains(strings.Join(strings.Fields(text), " "), "1 200000 65536") {
		t.Errorf("the subordinate ids are not mapped:\n%s", text)
	}
	p.do("up", "-d", lab)
	contains(t, p.do("exec", "RED", "--", "setpriv", "--reuid", "33", "--regid", "33", "--clear-groups", "id", "-u"), "33")
	p.do("down")
}

// TestRootlessElsewhere: a shell in a host, checks of a lab, and a lesson.
func TestRootlessElsewhere(t *testing.T) {
	t.Parallel()
	p := newOrdinary(t)
	p.do("up", "-d", p.write("lab.yaml", strings.ReplaceAll(threeHosts, "@", "")))
	defer p.try("down")
	shell := exec.Command(p.argv()[0], p.argv("env", "SHELL=/bin/sh", p.program, "shell", "RED")[1:]...)
	shell.Stdin = strings.NewReader("ip -4 -br addr; ping -c 1 -W 5 " + blueIP + "; exit 7\n")
	text, _ := shell.CombinedOutput()
	contains(t, string(text), redIP, "1 received")
	if status := shell.ProcessState.ExitCode(); status != 7 {
		t.Errorf("the shell ends with %d", status)
	}
	p.do("down")
	contains(t, p.do("check", "red-blue"), "3 hold, 0 fail")
	contains(t, p.do("learn", "1", "--auto"), "Done.")
}

func TestRootlessSideBySide(t *testing.T) {
	t.Parallel()
	p, other := newOrdinary(t), newOrdinary(t)
	text := strings.ReplaceAll(threeHosts, "@", "")
	one, two := p.write("one.yaml", strings.Replace(text, "name: lab", "name: one", 1)), p.write("two.yaml", strings.Replace(text, "name: lab", "name: two", 1))
	p.do("up", "-d", one)
	defer p.try("down", "one")
	p.do("up", "-d", two)
	defer p.try("down", "two")
	other.do("up", "-d", other.write("lab.yaml", text))
	defer other.try("down")
	p.do("exec", "--lab", "one", "RED", "--", "ip", "link", "set", "eth0", "down")
	contains(t, p.do("exec", "--lab", "two", "RED", "--", "ping", "-c", "1", "-W", "5", blueIP), "1 received")
	contains(t, other.do("exec", "RED", "--", "ping", "-c", "1", "-W", "5", blueIP), "1 received")
	if text := other.do("ls"); strings.Contains(text, "one") {
		t.Errorf("another user's labs are listed:\n%s", text)
	}
}

// TestRootlessKilled kills everything that a command has begun, but for what it has let go of, at moments that are spread over its
// run, in turns of run, up -d and down.
func TestRootlessKilled(t *testing.T) {
	t.Parallel()
	p := newOrdinary(t)
	// The command lets go of a program that would outlive the lab.
	lab := p.write("lab.yaml", strings.Replace(strings.ReplaceAll(threeHosts, "@", ""), "RED: {", "RED: {command: [sh, -c, 'setsid -f sleep 1000 </dev/null >/dev/null 2>&1; exec sleep 1000'], ", 1))
	moments := 20
	if text := os.Getenv("USWITCH_KILLS"); text != "" {
		if _, err := fmt.Sscan(text, &moments); err != nil {
			t.Fatalf("USWITCH_KILLS=%s: %v", text, err)
		}
	}
	for i := range moments {
		args := [][]string{{"run", lab}, {"up", "-d", lab}, {"down"}}[i%3]
		if args[0] == "down" {
			p.do("up", "-d", lab)
		}
		cmd := exec.Command(p.argv()[0], p.argv(append([]string{p.program}, args...)...)[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 800 * time.Millisecond / time.Duration(moments))
		p.killAll(cmd)
		if i%2 == 0 {
			t.Logf("moment %d, %v: cleanup: %s", i, args, p.do("cleanup"))
			p.nothingLeft()
		}
		if text := p.do("run", "--trace", "off", lab, "--", "true"); strings.Contains(text, "goroutine ") {
			t.Errorf("after the kill: %s", text)
		}
		p.nothingLeft()
		if t.Failed() {
			t.Fatalf("moment %d, %v", i, args)
		}
	}
}

// killAll kills a command, and all of the person's that are uswitch, also those that others begin meanwhile, and waits until
// they are gone: while threads of a process are still dying, it has its files, and with them the lab's lock.
func (p *ordinary) killAll(cmd *exec.Cmd) {
	p.t.Helper()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(p.t, "all of uswitch are gone", func() bool {
		left := 0
		for pid, status := range p.statuses() {
			if strings.HasPrefix(status, "Name:\tuswitch\n") {
				left++
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		return left == 0
	})
}
