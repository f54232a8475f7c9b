package lesson

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

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
