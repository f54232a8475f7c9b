package rootless

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// insideName is the directory, below the user's for labs, in which each lab has a tmpfs that nobody else sees.
const insideName = "inside"

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
	inside := filepath.Join(dir, insideName)
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
	records = filepath.Join(dir, insideName)
	names = filepath.Join(records, "netns")
	_, err := os.Stat(names)
	return records, names, err == nil // outside the directory is empty
}
