package rootless

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Try makes namespaces as Start does, for a process that does nothing in them and ends. made is why they cannot be made, mapped
// why this user cannot be root of them.
func Try() (made, mapped error) {
	self, err := os.Executable()
	if err != nil {
		return err, nil
	}
	wait, end, err := os.Pipe()
	if err != nil {
		return err, nil
	}
	defer wait.Close()
	cmd := exec.Command(self)
	cmd.ExtraFiles = []*os.File{wait}
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", mappedVariable, 3))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}
	if err := cmd.Start(); err != nil {
		end.Close()
		return fmt.Errorf("clone: %w", innermost(err)), nil
	}
	users, groups := subordinate("/etc/subuid"), subordinate("/etc/subgid")
	mapped = mapIDs(cmd.Process.Pid, users, groups)
	end.Close() // without a word, so that it ends
	_ = cmd.Wait()
	return nil, mapped
}

// innermost takes the program's path away.
func innermost(err error) error {
	if path, ok := err.(*os.PathError); ok {
		return path.Err
	}
	return err
}
