package test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs beside the test.
type process struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr *lines
	ended          chan struct{} // closed when it has ended; its output may go on, if it left somebody behind who has it
}

// begin starts a program. What is left of it is ended with the test.
func begin(t *testing.T, argv ...string) *process {
	t.Helper()
	return beginCommand(t, exec.Command(argv[0], argv[1:]...))
}

func beginCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, stdout: newLines(), stderr: newLines(), ended: make(chan struct{})}
	var ours []*os.File
	pipe := func(to *lines) *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ours = append(ours, w)
		go func() {
			to.read(r)
			r.Close()
		}()
		return w
	}
	if cmd.Stdout == nil {
		cmd.Stdout = pipe(p.stdout)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = pipe(p.stderr)
	}
	err := cmd.Start()
	for _, w := range ours {
		w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// wait waits for the end and returns the status as a shell would.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end; stderr:\n%s", strings.Join(p.cmd.Args, " "), p.stderr)
	}
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// waitOutput waits for the end of the program, and of what it writes.
func (p *process) waitOutput() int {
	p.t.Helper()
	status := p.wait()
	eventually(p.t, "the end of the output of "+p.cmd.Path, func() bool {
		_, out, _ := p.stdout.from(0)
		_, errs, _ := p.stderr.from(0)
		return out && errs
	})
	return status
}

// output runs a program to its end and returns what it wrote, both streams together, and its status.
func output(t *testing.T, argv ...string) (text string, status int) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must runs a program that has to succeed.
func must(t *testing.T, argv ...string) string {
	t.Helper()
	text, status := output(t, argv...)
	if status != 0 {
		t.Fatalf("%s: status %d:\n%s", strings.Join(argv, " "), status, text)
	}
	return text
}
