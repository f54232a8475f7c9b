package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"uswitch/cmd/internal/view"
)

// shell runs the commands of a lesson as the learner's own shell would: uswitch is this very program, and the lab is the
// lesson's.
type shell struct {
	program string // this one
	dir     string // with a link to it
	in, out *os.File
	env     []string
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

func (s *shell) close() { os.RemoveAll(s.dir) }

// run runs a line, shows what it writes, and returns that with its status.
func (s *shell) run(ctx context.Context, line string) (output string, status int, err error) {
	var kept bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = s.env
	cmd.Stdout = io.MultiWriter(s.out, &kept)
	cmd.Stderr = cmd.Stdout // one pipe, so that lines keep their order
	if s.in != nil && view.IsTerminal(s.in) {
		cmd.Stdin = s.in
		defer foreground(cmd, s.in)()
	}
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", 0, ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return "", 0, fmt.Errorf("%s: %w", line, err)
	}
	return kept.String(), cmd.ProcessState.ExitCode(), nil
}
