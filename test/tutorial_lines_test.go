package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestTutorials types every line of five tutorials, in their order, with uswitch in front, on a machine of the page's own: as root,
// as an ordinary user, and in memory. What is seen stands in testdata/walkthroughs.md.
func TestTutorials(t *testing.T) {
	needs(t, "unshare", "nsenter", "setpriv", "tcpdump", "busybox")
	t.Parallel()
	seen := map[string]map[string]string{} // of each line of a page, what is different in which way
	var mu sync.Mutex
	t.Run("pages", func(t *testing.T) {
		for _, page := range pages {
			for _, way := range ways {
				t.Run(page+" "+way, func(t *testing.T) {
					t.Parallel()
					r := newReader(t, page, way)
					for _, line := range readPage(t, page) {
						key := fmt.Sprintf("%s.txt:%d", page, line.number)
						got, ok := r.types(line)
						mu.Lock()
						if !ok {
							if seen[key] == nil {
								seen[key] = map[string]string{}
							}
							seen[key][way] = got
						}
						mu.Unlock()
						if _, known := differs[key]; !ok && !known || !ok && !slices.Contains(strings.Fields(differs[key].ways), way) {
							t.Errorf("%s: %s\nwant:\n%s\n\ngot:\n%s", key, line, strings.Join(line.want, "\n"), got)
						}
					}
				})
			}
		}
	})
	golden(t, filepath.Join("testdata", "walkthroughs.md"), walkthroughs(t))
	if t.Failed() {
		return
	}
	for key, d := range differs {
		for _, way := range strings.Fields(d.ways) {
			if _, ok := seen[key][way]; !ok {
				t.Errorf("%s, %s: as the page shows it; it needs no excuse any more", key, way)
			}
		}
	}
}

var (
	pages = []string{"w1", "w2", "w3", "w4", "w5"}
	ways  = []string{"root", "rootless", "memory"}
)

// differs are the lines that do not print what their page shows: in which ways, and why. They stand in uswitch help limits.
var differs = map[string]struct{ ways, why string }{
	"w1.txt:57": {every, inBusybox}, "w1.txt:68": {every, inBusybox},
	"w1.txt:86": {"memory", small}, "w1.txt:91": {"memory", small}, "w2.txt:15": {"memory", small}, "w2.txt:18": {"memory", small},
	"w3.txt:222": {"memory", small}, "w3.txt:236": {"memory", small}, "w4.txt:30": {"memory", small},
	"w2.txt:21": {"memory", noMachine}, "w2.txt:23": {"memory", noMachine},
	"w2.txt:25":  {every, "every web server is uswitch's own, which says so in its own words"},
	"w3.txt:115": {every, numbers}, "w3.txt:152": {every, numbers}, "w3.txt:227": {every, numbers},
	"w4.txt:37": {every, "one rule more in PREROUTING and one in POSTROUTING do the work of docker-proxy, and a comment says so"},
	"w5.txt:18": {"memory", processes}, "w5.txt:22": {"memory", processes},
}

// Why several lines differ.
const (
	every     = "root rootless memory"
	inBusybox = "busybox asks the namespace, whose interface is a TAP; uswitch ip -n NAME addr shows the pair"
	small     = "a lab in memory has small programs of its own, which print what iproute2 and iputils print"
	numbers   = "uswitch tcpdump prints numbers for names, as with -n"
	noMachine = "a lab in memory has no programs on this machine's network"
	processes = "a lab in memory has no processes, and so none with a namespace"
)

// walkthroughs is what there is to read of this test.
func walkthroughs(t *testing.T) string {
	var text strings.Builder
	text.WriteString("# What five tutorials type, and what is seen\n\nWritten by TestTutorials, which types each line of testdata/tutorials: on real TAPs as root, rootless, and in memory.\n\n" +
		"| page | lines | as the page shows: root | rootless | memory |\n| --- | --- | --- | --- | --- |\n")
	var rows strings.Builder
	for _, page := range pages {
		lines := readPage(t, page)
		fmt.Fprintf(&text, "| %s | %d |", page, len(lines))
		for _, way := range ways {
			as := len(lines)
			for _, line := range lines {
				if slices.Contains(strings.Fields(differs[fmt.Sprintf("%s.txt:%d", page, line.number)].ways), way) {
					as--
				}
			}
			fmt.Fprintf(&text, " %d |", as)
		}
		text.WriteString("\n")
		for _, line := range lines {
			if d, ok := differs[fmt.Sprintf("%s.txt:%d", page, line.number)]; ok {
				fmt.Fprintf(&rows, "| %s.txt:%d | `%s` | %s | %s |\n", page, line.number, strings.ReplaceAll(line.String(), "|", `\|`), d.ways, d.why)
			}
		}
	}
	text.WriteString("\n## Lines that differ\n\n| where | line | differs | because |\n| --- | --- | --- | --- |\n" + rows.String())
	return text.String()
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != text {
		t.Errorf("%s: %v, and there is now\n%s", file, err, text)
	}
}

// A reader types a page.
type reader struct {
	*privateMachine
	values
	way     string
	running *process
}

// newReader sits down at a machine with no lab up. In memory, it brings up the lab that the first command would.
func newReader(t *testing.T, page, way string) *reader {
	t.Helper()
	var m *privateMachine
	if way == "rootless" {
		m = newOrdinarysMachine(t)
	} else {
		m = newPrivateMachine(t)
	}
	if way == "memory" {
		m.do("uswitch up -d --sim host")
	}
	if page == "w4" {
		must(t, "cp", "testdata/tutorials/w4-compose.yml", m.home)
		must(t, "chmod", "644", filepath.Join(m.home, "w4-compose.yml"))
	}
	return &reader{privateMachine: m, values: values{}, way: way}
}

// types types a line, and reports whether its output is as the page shows; else it returns what that was.
func (r *reader) types(line pageLine) (got string, ok bool) {
	r.t.Helper()
	r.findProcess(line)
	command := r.inFront(line.where, r.fill(line.command))
	switch {
	case line.goesOn:
		if line.quiet {
			r.untilQuiet()
		}
		r.running = beginCommand(r.t, r.command("exec "+command+" 2>&1"))
		r.running.stdout.find(r.t, 0, command+" listens", containing("listening on"))
		return "", true
	case line.ends:
		got = r.endsRunning(line.want)
		line.want = append(append([]string{"~"}, line.want...), "~")
	case strings.Contains(line.command, " -it "):
		got = r.atTerminal(command)
	case strings.HasPrefix(command, "curl "): // what was started in the background takes a moment until it listens
		var status int
		eventually(r.t, command, func() bool {
			got, status = r.sh(command)
			return status == 0 || r.way == "memory"
		})
		if status != 0 {
			return got, false
		}
	case strings.HasPrefix(command, "uswitch docker run "): // one that should end, and goes on, is a line that differs
		got = r.streams("timeout 100 " + command)
	default:
		got = r.streams(command)
	}
	r.values, ok = r.match(line.want, columns(got))
	return strings.Join(columns(got), "\n"), ok
}

// streams types a line, and returns what it says, errors last: which of two streams comes first is chance.
func (r *reader) streams(line string) string {
	r.t.Helper()
	var out, errs strings.Builder
	cmd := r.command(line)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		r.t.Fatalf("%s: %v", line, err)
	}
	return out.String() + errs.String()
}

// untilQuiet waits until neither RED nor BLUE asks any more who the other is: the kernel does so some seconds after a ping.
func (r *reader) untilQuiet() {
	r.t.Helper()
	eventually(r.t, "RED and BLUE know each other", func() bool {
		all := r.do("uswitch ip netns exec RED ip neigh; uswitch ip netns exec BLUE ip neigh")
		return !strings.Contains(all, "DELAY") && !strings.Contains(all, "PROBE")
	})
}

// inFront puts uswitch in front of a line, and says where it is typed.
func (r *reader) inFront(where, command string) string {
	word, _, _ := strings.Cut(command, " ")
	switch {
	case where == "HOST" && (word == "ls" || word == "curl"):
		return command
	case where == "HOST" && word == "for":
		return strings.Replace(command, "; do ", "; do uswitch ", 1)
	case where == "HOST":
		return "uswitch " + command
	case where == "RED" || where == "BLUE":
		return "uswitch ip netns exec " + where + " " + command
	}
	return "uswitch docker exec " + where + " " + command
}

// findProcess finds <pid:p>, the process of w5's first container, as `ps aux` shows it.
func (r *reader) findProcess(line pageLine) {
	if !strings.Contains(line.command+strings.Join(line.want, ""), "<pid:p>") || r.values["pid:p"] != "" {
		return
	}
	id, _ := r.sh("uswitch docker ps -q")
	pid, _ := r.sh("uswitch docker inspect -f '{{.State.Pid}}' " + strings.TrimSpace(id))
	if arguments, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/cmdline"); err == nil && strings.Contains(string(arguments), "sleep\x00100000") {
		r.values["pid:p"] = strings.TrimSpace(pid)
	}
}

// endsRunning waits until the lines of what runs on have come, and ends it with Ctrl-C. Its last words, which count packets, come then.
func (r *reader) endsRunning(want []string) string {
	until := []string{"~"}
	for _, line := range want {
		if !strings.HasSuffix(line, "packets captured") {
			until = append(until, line)
		}
	}
	until = append(until, "~")
	for range 100 {
		if _, ok := r.match(until, columns(r.running.stdout.String())); ok {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.running.signal(syscall.SIGINT)
	r.running.waitOutput()
	return r.running.stdout.String()
}

var answer = regexp.MustCompile(`(?m)^[0-9]+ bytes from `)

// atTerminal types a line in a terminal. A ping that does not end is ended by Ctrl-C after two answers.
func (r *reader) atTerminal(line string) string {
	r.t.Helper()
	near, far, err := pty.Open()
	if err != nil {
		r.t.Fatal(err)
	}
	defer near.Close()
	cmd := r.command("exec " + line)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p := beginCommand(r.t, cmd)
	far.Close()
	said, read := newLines(), make(chan struct{})
	go func() { said.read(near); close(read) }()
	if strings.Contains(line, " ping ") {
		eventually(r.t, "two answers: "+line, func() bool {
			_, ended, _ := said.from(0)
			return ended || len(answer.FindAllString(said.String(), -1)) >= 2
		})
		_, _ = near.WriteString("\x03")
	}
	p.wait()
	<-read
	return strings.ReplaceAll(said.String(), "^C", "")
}

// newOrdinarysMachine is a private machine whose lines an ordinary user types, who may use TAPs and low ports.
func newOrdinarysMachine(t *testing.T) *privateMachine {
	t.Helper()
	home, err := os.MkdirTemp("", "uswitch-")
	if err != nil {
		t.Fatal(err)
	}
	uid := strconv.Itoa(60000 + os.Getpid()%2000*10 + int(ordinaries.Add(1))%10)
	must(t, "install", "-D", uswitch, filepath.Join(home, "bin", "uswitch"))
	must(t, "chown", "-R", uid+":"+uid, home)
	m := &privateMachine{t: t, home: home, as: []string{"setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"}}
	m.holder = begin(t, "unshare", "-mn", "sh", "-c", `mount -t tmpfs none /run && mount -t tmpfs -o dev none /mnt && mknod -m 666 /mnt/tun c 10 200 &&
		mount --bind /mnt/tun /dev/net/tun && ip link set lo up && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && echo ready && exec sleep 10000`)
	m.holder.stdout.find(t, 0, "namespace of the test's own", containing("ready"))
	t.Cleanup(func() { os.RemoveAll(home) })
	t.Cleanup(m.downAll)
	return m
}
