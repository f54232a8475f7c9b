package api

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Begun is a lab that a process of its own is bringing up or taking down: it has the lab's lock, and answers nobody.
type Begun struct {
	Lab  string
	PID  int
	path string // of the lock
}

// AllBegun lists the labs that are neither up nor gone, sorted by name.
func AllBegun() (all []Begun) {
	for _, dir := range Directories() {
		locks, _ := filepath.Glob(filepath.Join(dir, "*"+LockSuffix))
		for _, path := range locks {
			lab := strings.TrimSuffix(filepath.Base(path), LockSuffix)
			if Answers(Path(dir, lab)) {
				continue
			}
			if pid, held := LockHolder(path); held {
				all = append(all, Begun{lab, pid, path})
			}
		}
	}
	slices.SortFunc(all, func(a, b Begun) int { return cmp.Compare(a.Lab, b.Lab) })
	return all
}

// FindBegun returns the lab of that name that is neither up nor gone.
func FindBegun(name string) (Begun, bool) {
	for _, b := range AllBegun() {
		if b.Lab == name {
			return b, true
		}
	}
	return Begun{}, false
}

// Stop tells its process to end, as Ctrl-C does. One that has ended meanwhile is no error.
func (b Begun) Stop() error {
	if pid, held := LockHolder(b.path); !held || pid != b.PID {
		return nil
	}
	if err := syscall.Kill(b.PID, syscall.SIGTERM); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
