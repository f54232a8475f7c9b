package tap

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Watch implements Device. Looking is cheap and needs no goroutine while nothing happens: the monitor says when to.
func (d *nic) Watch(changed func(State)) (stop func(), err error) {
	monitor, err := d.host.linkMonitor()
	if err != nil {
		return nil, fmt.Errorf("%s: watch: %w", d.name, err)
	}
	w := &watch{device: d, monitor: monitor, changed: changed, looking: true}
	d.mu.Lock()
	closed := d.closed
	d.watches = append(d.watches, w) // stays there after stop: stopping twice does no harm
	d.mu.Unlock()
	if closed {
		return nil, d.gone
	}
	if err := w.look(); err != nil {
		w.stop()
		return nil, err
	}
	go w.run() // for what was notified meanwhile
	return w.stop, nil
}

// watch is one Watch.
type watch struct {
	device  *nic
	monitor *linkMonitor
	changed func(State)

	// Whoever looks has these to itself.
	last State

	stopped atomic.Bool
	mu      sync.Mutex // guards what follows
	looking bool
	again   bool // it was notified while somebody looked
}

// notify makes the watch look, in the background.
func (w *watch) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.again = true; !w.looking && !w.stopped.Load() {
		w.looking = true
		go w.run()
	}
}

// run looks as long as it is notified, and tells what is new.
func (w *watch) run() {
	for w.wanted() {
		before := w.last
		if err := w.look(); errors.Is(err, ErrGone) {
			w.stop()
		} else if err == nil && w.last != before && !w.stopped.Load() {
			w.changed(w.last)
		}
	}
}

// wanted reports whether to look once more, and if not, that nobody looks any more.
func (w *watch) wanted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looking = w.again && !w.stopped.Load()
	w.again = false
	return w.looking
}

func (w *watch) stop() {
	w.stopped.Store(true)
	w.monitor.remove(w)
}

// look finds out where the interface is, and what it is like there. In a namespace that is new to it, it subscribes to the monitor first,
// so that nothing happens there unheard.
func (w *watch) look() error {
	w.monitor.looks <- struct{}{}
	defer func() { <-w.monitor.looks }()
	return w.device.inside(func(namespace *os.File) error {
		info, err := namespace.Stat()
		if err != nil {
			return err
		}
		if info.Sys().(*syscall.Stat_t).Ino != w.last.Namespace {
			nsid, err := w.device.host.number(namespace)
			if err != nil {
				return err
			}
			w.monitor.add(w, nsid)
		}
		state, err := w.device.stateIn(namespace)
		if err == nil {
			w.last = state
		}
		return err
	})
}
