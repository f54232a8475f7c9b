package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// privateMachine is a place with a network, a /run and a home of its own, where no other lab is up: what people type there finds the
// lab that they brought up themselves, by the names that they know.
type privateMachine struct {
	t      *testing.T
	holder *process
	home   string
	as     []string // what goes in front of a command to make it an ordinary user's
}

func newPrivateMachine(t *testing.T) *privateMachine {
	t.Helper()
	m := &privateMachine{t: t, home: t.TempDir()}
	m.holder = begin(t, "unshare", "-mn", "sh", "-c", `mount -t tmpfs none /run && ip link set lo up && cd "$0" && echo ready && exec sleep 10000`, m.home)
	m.holder.stdout.find(t, 0, "namespace of the test's own", containing("ready"))
	t.Cleanup(m.downAll)
	return m
}

// command returns a line for the shell there.
func (m *privateMachine) command(line string) *exec.Cmd {
	argv := append([]string{"-m", "-n", "--wd=" + m.home, "-t", strconv.Itoa(m.holder.cmd.Process.Pid)}, m.as...)
	cmd := exec.Command("nsenter", append(argv, "sh", "-c", line)...)
	program, runtime := filepath.Dir(uswitch), ""
	if len(m.as) > 0 {
		program, runtime = filepath.Join(m.home, "bin"), m.home
	}
	cmd.Env = append(os.Environ(), "PATH="+program+":"+os.Getenv("PATH"), "HOME="+m.home, "XDG_STATE_HOME=", "XDG_RUNTIME_DIR="+runtime)
	return cmd
}

// sh types a line there, and returns all that it says, and its status.
func (m *privateMachine) sh(line string) (out string, status int) {
	m.t.Helper()
	cmd := m.command(line)
	all, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		m.t.Fatalf("%s: %v", line, err)
	}
	return string(all), cmd.ProcessState.ExitCode()
}

// do is sh with a line that must succeed.
func (m *privateMachine) do(line string) string {
	m.t.Helper()
	out, status := m.sh(line)
	if status != 0 {
		m.t.Fatalf("%s: status %d\n%s", line, status, out)
	}
	return out
}

// follow types what goes on until Ctrl-C. Where RED is up it pings BLUE meanwhile, until there is something to see.
func (m *privateMachine) follow(line string) {
	m.t.Helper()
	p := beginCommand(m.t, m.command("exec "+line))
	eventually(m.t, line+" is under way", func() bool { // before that Ctrl-C ends a program that has not begun
		return p.stdout.count()+p.stderr.count() > 0 || !strings.Contains(line, "tcpdump") && hasSocket(p.cmd.Process.Pid)
	})
	if strings.Contains(m.do("uswitch ls"), "red-blue") {
		m.do("uswitch exec RED -- ping -c 5 -i 0.2 11.11.11.3")
	}
	if strings.Contains(line, "trace") && !strings.Contains(line, "--drops") {
		eventually(m.t, line+" prints something", func() bool {
			m.do("uswitch exec RED -- ping -c 1 11.11.11.3")
			return p.stdout.count() > 0
		})
	}
	p.signal(syscall.SIGINT)
	if status := p.wait(); status != 0 {
		m.t.Errorf("%s: status %d\n%s%s", line, status, p.stdout, p.stderr)
	}
}

// hasSocket reports whether a process has a socket open: that to a lab.
func hasSocket(pid int) bool {
	fds, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	return slices.ContainsFunc(fds, func(fd string) bool {
		what, err := os.Readlink(fd)
		return err == nil && strings.HasPrefix(what, "socket:")
	})
}

// downAll takes down whatever is up there.
func (m *privateMachine) downAll() {
	m.t.Helper()
	out, _ := m.sh("uswitch ls")
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if i > 0 {
			m.do("uswitch down " + strings.Fields(line)[0])
		}
	}
}
