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

	mu       sync.Mutex // guards the workshop
	workshop *os.File   // the nameless namespace that TAPs are made in; nil until the first one
	making   sync.Mutex // held while a card is in the workshop: the next one may have the same name

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
	return &local{records: records{dir: dir, etc: new(etcParent)}}, nil
}

// inWorkshop runs f on a thread that is in the workshop.
func (l *local) inWorkshop(f func() error) error {
	return onThread(func() error {
		if err := l.enterWorkshop(); err != nil {
			return err
		}
		return f()
	})
}

// enterWorkshop moves the calling thread, which must come from onThread, into the workshop, which is made with the first
// call.
func (l *local) enterWorkshop() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.workshop != nil {
		return os.NewSyscallError("setns", unix.Setns(int(l.workshop.Fd()), unix.CLONE_NEWNET))
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("unshare a network namespace", err)
	}
	workshop, err := os.Open("/proc/thread-self/ns/net")
	if err == nil {
		l.workshop = workshop
	}
	return err
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
