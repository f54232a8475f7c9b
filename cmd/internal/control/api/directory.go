package api

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// rootDirectory is root's: gone after a reboot, as what labs make of the kernel's is (tap.DefaultDir).
const rootDirectory = "/run/uswitch"

// Directory returns the directory in which the labs of this user keep their locks, sockets and records, and makes it if
// need be: /run/uswitch for root, else one of the user's own. It is the user's alone (0700).
func Directory() (string, error) {
	own := ownDirectory()
	if os.Geteuid() == 0 {
		err := privateDirectory(rootDirectory)
		if err == nil || own == "" {
			return rootDirectory, err
		}
	}
	if own == "" {
		return "", errors.New("there is no directory for the lab's socket: want root, or XDG_RUNTIME_DIR or HOME set")
	}
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		return "", fmt.Errorf("the directory for the lab's socket: %w", err)
	}
	return own, privateDirectory(own)
}

// ownDirectory returns uswitch under XDG_RUNTIME_DIR or, where there is none, as on macOS, under the user's caches; empty
// if the user has neither.
func ownDirectory() string {
	base := os.Getenv("XDG_RUNTIME_DIR")
	if base == "" {
		base, _ = os.UserCacheDir()
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, "uswitch")
}

// Directories returns where labs that this user may talk to can be found.
func Directories() []string {
	dirs := []string{rootDirectory}
	if own := ownDirectory(); own != "" {
		dirs = append(dirs, own)
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
