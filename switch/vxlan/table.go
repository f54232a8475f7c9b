package vxlan

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// table says behind which machine each station lives. Learned entries are bounded; when there are too many a new one takes the place
// of one of the oldest that was not heard of lately.
type table struct {
	ageing time.Duration
	limit  int

	mu      sync.RWMutex // guards what follows; held for a look-up
	entries map[frame.MAC]*entry
	order   []frame.MAC // learned ones, in the order in which they came; gone ones among them
}

// entry does not change once it is in the table, but for seen.
type entry struct {
	remote netip.Addr
	static bool
	since  time.Duration
	seen   atomic.Int64 // age of the link when a frame last came from there
}

func newTable(ageing time.Duration, limit int) *table {
	return &table{ageing: ageing, limit: limit, entries: map[frame.MAC]*entry{}}
}

func (t *table) find(mac frame.MAC) *entry {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.entries[mac]
}

func (t *table) aged(e *entry, now time.Duration) bool {
	return !e.static && now-time.Duration(e.seen.Load()) >= t.ageing
}

// lookup finds the machine behind which a station lives.
func (t *table) lookup(mac frame.MAC, now time.Duration) (to netip.Addr, age time.Duration, static, ok bool) {
	e := t.find(mac)
	if e == nil || t.aged(e, now) {
		return to, 0, false, false
	}
	return e.remote, now - time.Duration(e.seen.Load()), e.static, true
}

// learn notes that a frame of a station came from a machine, and what that tells: from is where it was before.
func (t *table) learn(mac frame.MAC, remote netip.Addr, now time.Duration) (n trace.Note, from netip.Addr) {
	e := t.find(mac)
	switch {
	case e != nil && e.static:
		return trace.TunnelStatic, e.remote
	case e != nil && e.remote == remote && !t.aged(e, now):
		e.seen.Store(int64(now))
		return trace.TunnelHeard, remote
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n = trace.TunnelNew
	if e = t.entries[mac]; e != nil {
		if e.static {
			return trace.TunnelStatic, e.remote
		}
		if !t.aged(e, now) && e.remote != remote {
			n, from = trace.TunnelMoved, e.remote
		}
	} else if !t.room(now) {
		return trace.TunnelFull, from
	} else {
		t.order = append(t.order, mac)
	}
	fresh := &entry{remote: remote, since: now}
	fresh.seen.Store(int64(now))
	t.entries[mac] = fresh
	return n, from
}

// tries bounds how many entries are looked at for one that gives way.
const tries = 8

// fresh is how lately a station was heard that does not give way.
const fresh = time.Second

// room makes room for one more entry. It needs the lock.
func (t *table) room(now time.Duration) bool {
	if len(t.order) < t.limit {
		return true
	}
	for range min(tries, len(t.order)) {
		oldest := t.order[0]
		t.order = t.order[1:]
		e := t.entries[oldest]
		if e != nil && !e.static && now-time.Duration(e.seen.Load()) < fresh {
			t.order = append(t.order, oldest)
			continue
		}
		if e != nil && !e.static {
			delete(t.entries, oldest)
		}
		return true
	}
	return false
}

// set enters a station by configuration, in place of what was learned of it.
func (t *table) set(mac frame.MAC, remote netip.Addr, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(mac)
	e := &entry{remote: remote, static: true, since: now}
	t.entries[mac] = e
}

// remove forgets a station behind a machine; behind any if that is invalid.
func (t *table) remove(mac frame.MAC, remote netip.Addr) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[mac]; e == nil || remote.IsValid() && e.remote != remote {
		return fmt.Errorf("%v: no such entry", mac)
	}
	t.forget(mac)
	return nil
}

// forget needs the lock.
func (t *table) forget(mac frame.MAC) {
	delete(t.entries, mac)
	t.order = slices.DeleteFunc(t.order, func(m frame.MAC) bool { return m == mac })
}

// flush forgets what was learned from machines that are not kept.
func (t *table) flush(keep func(netip.Addr) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for mac, e := range t.entries {
		if !e.static && !keep(e.remote) {
			delete(t.entries, mac)
		}
	}
	t.order = slices.DeleteFunc(t.order, func(m frame.MAC) bool { return t.entries[m] == nil })
}

// Entry is a row of the table, for people.
type Entry struct {
	MAC         frame.MAC // all zeroes: everyone whose machine is not known
	Remote      netip.Addr
	Static      bool          // by configuration
	Since, Seen time.Duration // since it came there, and since it was last heard
}

func (t *table) list(now time.Duration) (rows []Entry) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for mac, e := range t.entries {
		if !t.aged(e, now) {
			rows = append(rows, Entry{mac, e.remote, e.static, now - e.since, now - time.Duration(e.seen.Load())})
		}
	}
	slices.SortFunc(rows, func(a, b Entry) int { return bytes.Compare(a.MAC[:], b.MAC[:]) })
	return rows
}

// fork copies the table.
func (t *table) fork() *table {
	f := newTable(t.ageing, t.limit)
	t.mu.RLock()
	defer t.mu.RUnlock()
	for mac, e := range t.entries {
		twin := &entry{remote: e.remote, static: e.static, since: e.since}
		twin.seen.Store(e.seen.Load())
		f.entries[mac] = twin
	}
	f.order = slices.Clone(t.order)
	return f
}
