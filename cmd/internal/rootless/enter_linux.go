package rootless

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
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

// sourcePrefix marks the tmpfs of a lab in the table of mounts.
const sourcePrefix = "uswitch:"

// Settle gives this process, which Start has started, its mounts. dir is the user's directory for labs.
func Settle(dir, lab string) error {
	if err := visible(); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "none", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mounts of the lab's own: %w", err)
	}
	inside := filepath.Join(dir, InsideName)
	if err := os.MkdirAll(inside, 0o700); err != nil {
		return err
	}
	if err := unix.Mount(sourcePrefix+lab, inside, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount a tmpfs on %s: %w", inside, err)
	}
	_, names, _ := Inside(dir)
	if err := os.Mkdir(names, 0o755); err != nil {
		return err
	}
	// "ip netns" looks there, if there is such a directory; a lab does not need it.
	_ = unix.Mount(names, "/run/netns", "none", unix.MS_BIND, "")
	return nil
}

// Inside returns where the lab in whose namespaces this process is has its records and the names of its namespaces.
func Inside(dir string) (records, names string, ok bool) {
	records = filepath.Join(dir, InsideName)
	names = filepath.Join(records, "netns")
	_, err := os.Stat(names)
	return records, names, err == nil // outside the directory is empty
}
