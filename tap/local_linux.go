package tap

import (
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// local is the Host that does everything itself, with the privileges of this process.
type local struct {
	records records
	buffers buffers

	// mu guards the workshop: that it is made once, and that one card at a time is made in it.
	mu       sync.Mutex
	workshop *os.File // the nameless namespace that TAPs are made in; nil until the first one

	bellMu sync.Mutex
	bell   *bell // nil until the first watch
}

// New returns the Host that does everything here and now. It keeps its records under dir; an empty dir stands for
// DefaultDir. Nothing is made and nothing is checked before it is needed.
func New(dir string) (Host, error) {
	if dir == "" {
		dir = DefaultDir
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &local{records: records{dir: dir}}, nil
}

// inWorkshop runs f on a thread that is in the workshop, one call at a time.
func (l *local) inWorkshop(f func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return onThread(func() error {
		if l.workshop != nil {
			if err := unix.Setns(int(l.workshop.Fd()), unix.CLONE_NEWNET); err != nil {
				return os.NewSyscallError("setns", err)
			}
			return f()
		}
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare a network namespace", err)
		}
		workshop, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		l.workshop = workshop
		return f()
	})
}

// Close implements Host.
func (l *local) Close() error {
	l.bellMu.Lock()
	if l.bell != nil {
		l.bell.socket.Close()
		l.bell = nil
	}
	l.bellMu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.workshop == nil {
		return nil
	}
	err := l.workshop.Close()
	l.workshop = nil
	return err
}
