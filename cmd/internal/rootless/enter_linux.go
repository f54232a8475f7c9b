package rootless

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// Enter makes this process one in the namespaces of the lab that process pid runs: it starts again there, with the same
// arguments, and is root of them. Where it is there already, or the lab has none of its own, Enter returns nil.
func Enter(pid int) error {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil // out of sight: in the same namespaces, or gone, which is told of elsewhere
	}
	if err != nil {
		return fmt.Errorf("the namespaces of process %d: %w", pid, err)
	}
	own, err := os.Readlink("/proc/self/ns/user")
	if err != nil || own == theirs {
		return err
	}
	// A process with threads cannot enter a user namespace (setns(2)); nsenter has none, and becomes this program again.
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return errors.New("this lab is rootless, and to get into it the program nsenter is needed (package util-linux, or busybox)")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		here = "/"
	}
	argv := append([]string{"nsenter", "-t", strconv.Itoa(pid), "-U", "-m", "--preserve-credentials", self}, os.Args[1:]...)
	return syscall.Exec(nsenter, argv, append(os.Environ(), enteredVariable+"="+here))
}
