package world

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"uswitch/tap"
)

// Directory returns the directory in which the labs of this user keep their locks, sockets and records, and makes it if
// need be: /run/uswitch for root, else uswitch under XDG_RUNTIME_DIR. It is the user's alone (0700).
func Directory() (string, error) {
	if os.Geteuid() == 0 {
		err := privateDirectory(tap.DefaultDir)
		if err == nil || os.Getenv("XDG_RUNTIME_DIR") == "" {
			return tap.DefaultDir, err
		}
	}
	base := os.Getenv("XDG_RUNTIME_DIR")
	if base == "" {
		return "", errors.New("there is no directory for the lab's socket: want root, or XDG_RUNTIME_DIR set")
	}
	dir := filepath.Join(base, "uswitch")
	return dir, privateDirectory(dir)
}

// Directories returns where labs that this user may talk to can be found.
func Directories() []string {
	dirs := []string{tap.DefaultDir}
	if base := os.Getenv("XDG_RUNTIME_DIR"); base != "" {
		dirs = append(dirs, filepath.Join(base, "uswitch"))
	}
	return dirs
}

// privateDirectory makes a directory that nobody else can look into, or makes one that is there so.
func privateDirectory(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the directory for the lab's socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: want a directory", dir)
	}
	if info.Mode().Perm() == 0o700 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("%s belongs to somebody else: %w", dir, err)
	}
	return nil
}
