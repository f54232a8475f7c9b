package tap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// showFiles shows the calling thread, which has mounts of its own, the files of its namespace in /etc, and gives it the name
// that stands in the file hostname. What /etc does not have cannot be covered and stays away. Where mounting is forbidden
// the program gets the files that there are.
func (l *local) showFiles(ns Namespace) error {
	dir, ok := l.records.findFiles(ns.ID)
	if !ok {
		return nil
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		err := unix.Mount(filepath.Join(dir, file.Name()), filepath.Join("/etc", file.Name()), "none", unix.MS_BIND, "")
		switch {
		case err == unix.EPERM || err == unix.EACCES:
			return nil
		case err != nil && err != unix.ENOENT:
			return fmt.Errorf("mount %s over /etc/%s: %w", file.Name(), file.Name(), err)
		}
	}
	return setHostname(filepath.Join(dir, "hostname"))
}

// setHostname gives the calling thread the host name that stands in a file, if there is one.
func setHostname(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = unix.Unshare(unix.CLONE_NEWUTS)
	}
	if err == nil {
		err = unix.Sethostname([]byte(strings.TrimSpace(string(text))))
	}
	if err == unix.EPERM {
		return nil
	}
	return err
}
