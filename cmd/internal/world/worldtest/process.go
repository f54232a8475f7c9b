package worldtest

import (
	"os/exec"
	"syscall"

	"uswitch/tap"
)

// process is a program that runs where the test does. It implements tap.Process.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	over   chan struct{} // its output, too
	status int           // once over is closed
}

// StartHere starts a program where the test runs, and follows it as tap.Host.Start does.
func StartHere(cmd *exec.Cmd) (tap.Process, error) {
	if err := tap.Startable(cmd); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{}), over: make(chan struct{})}
	go p.follow()
	return p, nil
}

func (p *process) follow() {
	state, err := p.cmd.Process.Wait()
	close(p.ended)
	if p.leads() {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // what it has left behind
	}
	_ = p.cmd.Wait() // for the output; who has collected the program is already known
	if p.status = 255; err == nil {
		p.status = state.ExitCode()
		if w, ok := state.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			p.status = 128 + int(w.Signal())
		}
	}
	close(p.over)
}

// leads reports whether the program has a process group of its own.
func (p *process) leads() bool { return p.cmd.SysProcAttr != nil && p.cmd.SysProcAttr.Setpgid }

// PID implements tap.Process.
func (p *process) PID() int { return p.cmd.Process.Pid }

// Signal implements tap.Process.
func (p *process) Signal(sig syscall.Signal) error {
	if p.leads() {
		return syscall.Kill(-p.PID(), sig)
	}
	return p.cmd.Process.Signal(sig)
}

// Ended implements tap.Process.
func (p *process) Ended() <-chan struct{} { return p.ended }

// Wait implements tap.Process.
func (p *process) Wait() int {
	<-p.over
	return p.status
}
