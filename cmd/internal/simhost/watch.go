package simhost

import (
	"slices"
	"sync"

	"uswitch/tap"
)

// watchers are those who want to know what happens to a card. They are told on the Loop, at once.
type watchers struct {
	mu  sync.Mutex // guards all; not held while anybody is told
	all []*watcher
}

// watcher is one of them.
type watcher struct {
	before  tap.State
	changed func(tap.State)
}

// Watch implements tap.Device.
func (d *Device) Watch(changed func(tap.State)) (stop func(), err error) {
	before, err := d.State()
	if err != nil {
		return nil, err
	}
	w := &watcher{before, changed}
	d.watchers.mu.Lock()
	defer d.watchers.mu.Unlock()
	d.watchers.all = append(d.watchers.all, w)
	return func() {
		d.watchers.mu.Lock()
		defer d.watchers.mu.Unlock()
		d.watchers.all = slices.DeleteFunc(slices.Clone(d.watchers.all), func(o *watcher) bool { return o == w })
	}, nil
}

// tellWatchers tells everybody who watches what has become of the card, on the Loop.
func (d *Device) tellWatchers() {
	d.watchers.mu.Lock()
	all := d.watchers.all
	d.watchers.mu.Unlock()
	now := d.now()
	for _, w := range all {
		if now != w.before {
			w.before = now
			w.changed(now)
		}
	}
}
