package tap

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Startable says in words what keeps a command from being started, as far as that shows beforehand: the kernel blames the
// program for a directory that is not there. The error wraps exec.ErrNotFound for a program that is in no directory of
// PATH.
func Startable(cmd *exec.Cmd) error {
	if cmd.Dir != "" {
		if info, err := os.Stat(cmd.Dir); err != nil {
			return fmt.Errorf("working directory %s: %v", cmd.Dir, errors.Unwrap(err))
		} else if !info.IsDir() {
			return fmt.Errorf("working directory %s: not a directory", cmd.Dir)
		}
	}
	if errors.Is(cmd.Err, exec.ErrNotFound) {
		return noProgram(cmd.Args[0])
	}
	return nil
}

// noProgram is the name of a program that is in no directory of PATH.
type noProgram string

func (p noProgram) Error() string {
	return fmt.Sprintf("no program %s on this machine's PATH", string(p))
}
func (p noProgram) Unwrap() error { return exec.ErrNotFound }
