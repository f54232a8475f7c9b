package lesson

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/tools/view"
)

// shell runs the commands of a lesson as the learner's own shell would: uswitch is this very program, and the lab is the
// lesson's.
type shell struct {
	program string // this one
	dir     string // with a link to it
	in, out *os.File
	env     []string
	jobs    []*job // that may still run in the background
}

func newShell(lab string, in, out *os.File) (*shell, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "uswitch-learn-")
	if err != nil {
		return nil, err
	}
	s := &shell{program: program, dir: dir, in: in, out: out}
	s.env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "USWITCH_LAB="+lab)
	if err := os.Symlink(program, filepath.Join(dir, "uswitch")); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close hangs up on what runs in the background, as a terminal does that goes away.
func (s *shell) close() {
	for _, j := range s.jobs {
		j.hangUp()
	}
	os.RemoveAll(s.dir)
}

// run runs a line, shows what it writes, and returns that with its status. It waits for the line itself: what the line has
// put in the background goes on, and goes on being shown.
func (s *shell) run(ctx context.Context, line string) (output string, status int, err error) {
	s.jobs = slices.DeleteFunc(s.jobs, (*job).over)
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = s.env
	j, err := newJob(cmd, s.out)
	if err != nil {
		return "", 0, err
	}
	ownGroup(cmd)
	back := func() {}
	if s.in != nil && view.IsTerminal(s.in) {
		cmd.Stdin = s.in
		back = foreground(cmd, s.in)
	}
	err = j.run(cmd)
	back()
	s.jobs = append(s.jobs, j)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", 0, ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return "", 0, fmt.Errorf("%s: %w", line, err)
	}
	return j.written(), cmd.ProcessState.ExitCode(), nil
}

// job is a line of a shell, with what it has put into the background. What any of them writes goes through one pipe, so that
// lines keep their order: it is shown as long as there is somebody who holds the other end.
type job struct {
	r, w *os.File
	show io.Writer
	pid  int // of the shell, and of the group of all that it began

	mu   sync.Mutex
	kept []byte // while the line itself runs

	quiet chan struct{} // closed: all that was written before the line ended has been shown
	done  chan struct{} // closed: nobody holds the other end any more
}

// newJob makes a job of a command that has not begun.
func newJob(cmd *exec.Cmd, show io.Writer) (*job, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	return &job{r: r, w: w, show: show, quiet: make(chan struct{}), done: make(chan struct{})}, nil
}

// run runs the command to its end, and returns when what it has written is shown.
func (j *job) run(cmd *exec.Cmd) error {
	err := cmd.Start()
	j.w.Close()
	if err != nil {
		j.r.Close()
		close(j.done)
		return err
	}
	j.pid = cmd.Process.Pid
	go j.copy()
	err = cmd.Wait()
	// A deadline wakes the reader, which then takes what is there without waiting for more.
	_ = j.r.SetReadDeadline(time.Unix(1, 0))
	select {
	case <-j.quiet:
	case <-j.done:
	}
	return err
}

// copy shows what is written until nobody can write any more.
func (j *job) copy() {
	defer close(j.done)
	defer j.r.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := j.r.Read(buf)
		j.take(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = j.r.SetReadDeadline(time.Time{})
			if !j.rest(buf) {
				return
			}
			close(j.quiet)
		case err != nil:
			return
		}
	}
}

// rest takes what is in the pipe, and reports whether more can come.
func (j *job) rest(buf []byte) (more bool) {
	raw, err := j.r.SyscallConn()
	if err != nil {
		return false
	}
	for n := 0; ; {
		var readErr error
		err = raw.Read(func(fd uintptr) bool {
			n, readErr = syscall.Read(int(fd), buf)
			return true
		})
		switch {
		case err != nil:
			return false
		case errors.Is(readErr, syscall.EINTR):
		case errors.Is(readErr, syscall.EAGAIN):
			return true
		case readErr != nil || n <= 0:
			return false
		default:
			j.take(buf[:n])
		}
	}
}

// take shows what was written, and keeps it while the line itself runs.
func (j *job) take(text []byte) {
	if len(text) == 0 {
		return
	}
	_, _ = j.show.Write(text)
	select {
	case <-j.quiet:
		return
	default:
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.kept = append(j.kept, text...)
}

// written returns what was written while the line itself ran.
func (j *job) written() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return string(j.kept)
}

// over reports whether nobody is left of the job who can write.
func (j *job) over() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}
