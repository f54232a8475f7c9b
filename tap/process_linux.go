package tap

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// process names a process so that nobody else is ever mistaken for it: a process id is used again, the time at which its
// bearer started is not, and a reboot ends everything.
type process struct {
	PID int `json:"pid"`
	// Start counts clock ticks since the machine started (proc_pid_stat(5), field 22).
	Start uint64 `json:"start"`
	Boot  string `json:"boot"`
}

func thisProcess() (process, error) {
	boot, err := bootID()
	if err != nil {
		return process{}, err
	}
	start, err := startTime(os.Getpid())
	if err != nil {
		return process{}, err
	}
	return process{PID: os.Getpid(), Start: start, Boot: boot}, nil
}

// alive reports whether the process still runs. A zombie does not.
func (p process) alive() bool {
	if boot, err := bootID(); err != nil || boot != p.Boot {
		return false
	}
	start, err := startTime(p.PID)
	return err == nil && start == p.Start
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// startTime returns when a living process started, and an error for a dead one.
func startTime(pid int) (uint64, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	start, err := parseStat(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return start, nil
}

// parseStat reads the start time of a living process from its /proc/PID/stat.
func parseStat(text []byte) (uint64, error) {
	// Field 2, the program's name, stands in parentheses and may contain anything, also spaces and parentheses.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const state, start = 0, 22 - 3 // fields[0] is field 3
	if len(fields) <= start {
		return 0, errors.New("too few fields")
	}
	if s := string(fields[state]); s == "Z" || s == "X" {
		return 0, errors.New("the process has ended")
	}
	ticks, err := strconv.ParseUint(string(fields[start]), 10, 64)
	if err != nil {
		return 0, err // ParseUint gives the largest number beside a range error
	}
	return ticks, nil
}

// child is a Process that is one of this machine's.
type child struct {
	cmd   *exec.Cmd
	out   *outputs
	ended <-chan struct{}
}

// PID implements Process.
func (c child) PID() int { return c.cmd.Process.Pid }

// leads reports whether the program is the leader of a process group, as that of a session is.
func (c child) leads() bool { return c.cmd.SysProcAttr.Setpgid || c.cmd.SysProcAttr.Setsid }

// Ended implements Process.
func (c child) Ended() <-chan struct{} { return c.ended }

// Signal implements Process.
func (c child) Signal(sig syscall.Signal) error {
	if c.leads() {
		return unix.Kill(-c.PID(), sig)
	}
	return c.cmd.Process.Signal(sig)
}

// Wait implements Process. The leader of a group stays uncollected until the others are ended, so that its number can be
// nobody else's.
func (c child) Wait() (status int) {
	<-c.ended
	if c.leads() {
		_ = unix.Kill(-c.PID(), unix.SIGKILL)
	}
	_ = c.cmd.Wait() // what it complains about beside the status is input that nobody has taken
	c.out.copying.Wait()
	return ExitStatus(c.cmd.ProcessState)
}

// OwnGroup makes a command the leader of a process group, so that a terminal's Ctrl-C goes to uswitch alone, which then ends the
// commands in its own order, each with everything that it has started.
func OwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// OwnTerminal makes a command the leader of a session, whose terminal its standard input is.
func OwnTerminal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true, Setctty: true} }
