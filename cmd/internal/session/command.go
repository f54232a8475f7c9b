package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// runCommand runs the person's command on this machine, with the terminal's input and output, and returns its status.
// What ends ctx is passed on to it; a Ctrl-C at the terminal has reached it already.
func runCommand(ctx context.Context, lab string, argv []string, stdout, stderr *os.File) (status int, err error) {
	argv = world.Program(argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	cmd.ExtraFiles = inherited
	cmd.Env = append(os.Environ(), "USWITCH_LAB="+lab)
	if err := tap.Startable(cmd); err != nil {
		return world.Status(nil, err), err
	}
	if err := tap.StartBehind(cmd); err != nil {
		return world.Status(nil, err), fmt.Errorf("start %s: %w", argv[0], err)
	}
	ended := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			var s signalError
			if !errors.As(context.Cause(ctx), &s) {
				s.signal = syscall.SIGTERM
			}
			if s.signal != syscall.SIGINT || !view.IsTerminal(os.Stdin) {
				_ = cmd.Process.Signal(s.signal)
			}
		case <-ended:
		}
	}()
	err = cmd.Wait()
	close(ended)
	return world.Status(cmd.ProcessState, err), nil
}
