package simhost

import (
	"sync"

	"uswitch/tap"
)

// watchers are those who want to know what happens to a card. Each has a goroutine that sleeps until something does.
type watchers struct {
	mu   sync.Mutex // guards what follows
	all  map[*watcher]struct{}
	over bool
}

// watcher is one of them.
type watcher struct {
	wake chan struct{} // a look is due
	stop chan struct{}
	once sync.Once
}

func (w *watcher) end() { w.once.Do(func() { close(w.stop) }) }

// notify makes every watcher look again.
func (w *watchers) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		select {
		case one.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
}

func (w *watchers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	for one := range w.all {
		one.end()
	}
}

// Watch implements tap.Device.
func (d *Device) Watch(changed func(tap.State)) (stop func(), err error) {
	before, err := d.State()
	if err != nil {
		return nil, err
	}
	w := &watcher{wake: make(chan struct{}, 1), stop: make(chan struct{})}
	d.watchers.mu.Lock()
	defer d.watchers.mu.Unlock()
	if d.watchers.over {
		return nil, d.goneError()
	}
	if d.watchers.all == nil {
		d.watchers.all = map[*watcher]struct{}{}
	}
	d.watchers.all[w] = struct{}{}
	go w.look(d, before, changed)
	return func() {
		w.end()
		d.watchers.mu.Lock()
		defer d.watchers.mu.Unlock()
		delete(d.watchers.all, w)
	}, nil
}

// look tells of each change until it is stopped.
func (w *watcher) look(d *Device, before tap.State, changed func(tap.State)) {
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
		}
		now, err := d.State()
		if err != nil {
			return
		}
		if now != before {
			before = now
			changed(now)
		}
	}
}
