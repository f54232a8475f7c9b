package tap

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// workshops are the nameless namespaces that TAPs are made in. There is one card at a time in each, which has the name there
// that it will have where it belongs; so there are as many as cards are made at the same time. The bell hangs in the first.
type workshops struct {
	mu   sync.Mutex // guards what follows
	all  []*os.File
	idle []*os.File // those of all that nobody makes a card in
}

// inFirst runs f on a thread that is in the first workshop, whoever makes a card there.
func (w *workshops) inFirst(f func() error) error {
	return onThread(func() error {
		if err := w.enterFirst(); err != nil {
			return err
		}
		return f()
	})
}

func (w *workshops) enterFirst() error {
	if w.first() == nil {
		own, err := w.enter()
		if err != nil {
			return err
		}
		w.leave(own)
	}
	return os.NewSyscallError("setns", unix.Setns(int(w.first().Fd()), unix.CLONE_NEWNET))
}

func (w *workshops) first() *os.File {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		return nil
	}
	return w.all[0]
}

// enter moves the calling thread, which must come from onThread, into a workshop that it has to itself until leave.
func (w *workshops) enter() (*os.File, error) {
	w.mu.Lock()
	if last := len(w.idle) - 1; last >= 0 {
		own := w.idle[last]
		w.idle = w.idle[:last]
		w.mu.Unlock()
		return own, os.NewSyscallError("setns", unix.Setns(int(own.Fd()), unix.CLONE_NEWNET))
	}
	w.mu.Unlock()
	if err := newNetwork(); err != nil {
		return nil, err
	}
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, own)
	return own, nil
}

// leave gives a workshop back, with no card in it any more.
func (w *workshops) leave(own *os.File) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, own)
}

// close forgets the workshops. They go with the cards that were made in them.
func (w *workshops) close() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		err = errors.Join(err, one.Close())
	}
	w.all, w.idle = nil, nil
	return err
}
