package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// namesDir is a directory of names of namespaces: netnsDir, or one of the same make.
type namesDir string

// path returns where a name leads to its namespace.
func (d namesDir) path(name string) string { return filepath.Join(string(d), name) }

// locked runs f while no other process, be it of this package or "ip netns", changes the names of namespaces. As
// "ip netns" does, it locks the directory, makes it if it is missing, and makes it a shared mount, so that a name that is
// unmounted here is unmounted in every mount namespace that copied it and does not live on there. What is mounted below a
// shared mount is shared too; so only the first time goes through all that is there, which thousands of names would make
// slow.
func (d namesDir) locked(f func() error) error {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer dir.Close() // which unlocks
	if err := ignoringEINTR(func() error { return unix.Flock(int(dir.Fd()), unix.LOCK_EX) }); err != nil {
		return fmt.Errorf("lock %s: %w", d, err)
	}
	if err := d.share(); err != nil {
		return err
	}
	return f()
}

// share makes the directory a shared mount unless it is one.
func (d namesDir) share() error {
	dir := string(d)
	err := unix.Mount("", dir, "none", unix.MS_SHARED, "")
	if err == unix.EINVAL { // not a mount point yet
		if err = unix.Mount(dir, dir, "none", unix.MS_BIND|unix.MS_REC, ""); err == nil {
			err = unix.Mount("", dir, "none", unix.MS_SHARED|unix.MS_REC, "")
		}
	}
	if err != nil {
		return fmt.Errorf("make %s a shared mount: %w", dir, err)
	}
	return nil
}

// removeName takes away a name that leads to the namespace with this identity, and says what it found. The caller holds
// the lock of names.
func removeName(path string, id ID) (Outcome, error) {
	var stat unix.Statfs_t
	err := ignoringEINTR(func() error { return unix.Statfs(path, &stat) })
	if errors.Is(err, fs.ErrNotExist) {
		return Vanished, nil
	}
	if err != nil {
		return "", &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	if stat.Type != unix.NSFS_MAGIC {
		return removePlaceholder(path)
	}
	found, err := identify(path)
	if err != nil {
		return "", err
	}
	if found != id {
		return Foreign, nil
	}
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		return "", fmt.Errorf("unmount %s: %w", path, err)
	}
	return Removed, os.Remove(path)
}

// removePlaceholder removes what remains of a name when nothing is mounted on it any more: an empty file, after a crash
// in the middle of Create, or after a reboot of a machine where /run is on a disk.
func removePlaceholder(path string) (Outcome, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() != 0 {
		return Foreign, nil
	}
	return Vanished, os.Remove(path)
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
