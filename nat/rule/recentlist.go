package rule

import (
	"iter"
	"slices"
	"sync"
	"time"

	"uswitch/switch/frame"
)

// maxRecent is how many addresses a list of -m recent keeps: the kernel's ip_list_tot. The one that was seen least recently
// makes room.
const maxRecent = 100

// recentList is a list of -m recent (xt_recent.c). All that it needs is made with it: asking allocates nothing, and looks
// only at the addresses of one slot of its hash table.
type recentList struct {
	mask frame.Addr // of the rule that made the list

	mu      sync.Mutex
	entries [maxRecent]recentEntry
	slots   [128]int16 // the first entry of each chain of the hash table, and 1
	oldest  int16      // the ends of the list in the order of the last times, and 1
	newest  int16
	free    []int16 // entries that are not in use
}

// recentEntry is one address of a list.
type recentEntry struct {
	addr         frame.Addr
	ttl          uint8
	stamps       []time.Time // a ring of the times at which it was seen; its length is a power of two
	next         int         // where the next time goes
	count        int         // how many times there are
	chain        int16       // the next entry of the same slot, and 1
	older, newer int16       // its neighbours in the order of the last times, and 1
}

// newRecentList makes a list that remembers so many packets of each address.
func newRecentList(mask frame.Addr, hits int) *recentList {
	l := &recentList{mask: mask, free: make([]int16, maxRecent)}
	for i := range l.free {
		l.free[i] = int16(maxRecent - 1 - i)
	}
	l.remember(hits)
	return l
}

// remember makes room for the times of more packets of each address. The list is emptied when it grows, as the kernel's is.
func (l *recentList) remember(hits int) {
	size := 32 // as the kernel has without --hitcount
	for size < hits {
		size *= 2
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries[0].stamps) >= size {
		return
	}
	for l.oldest != 0 {
		l.remove(l.oldest - 1)
	}
	for i := range l.entries {
		l.entries[i].stamps = make([]time.Time, size)
	}
}

// ask carries out a rule's operation for a packet's address, and reports whether the rule's condition, not inverted, holds.
func (l *recentList) ask(m *recentMatch, addr frame.Addr, ttl uint8, now time.Time) bool {
	addr = addr.Mask(l.mask)
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.find(addr, ttl, m.sameTTL)
	switch {
	case at < 0 && m.operation == "set":
		l.insert(addr, ttl, now)
		return true
	case at < 0:
		return false
	case m.operation == "set":
		l.touch(at, ttl, now)
		return true
	case m.operation == "remove":
		l.remove(at)
		return true
	}
	seen := l.entries[at].seen(m, now)
	if seen != m.invert && m.operation == "update" {
		l.touch(at, ttl, now)
	}
	if m.reap && l.oldest != 0 && now.Sub(l.entries[l.oldest-1].last()) > m.window() {
		l.remove(l.oldest - 1) // the kernel, too, removes one at a time
	}
	return seen
}

// seen reports whether the address was seen as often, and as recently, as the rule asks.
func (e *recentEntry) seen(m *recentMatch, now time.Time) bool {
	hits := uint32(0)
	for _, at := range e.stamps[:e.count] {
		if m.seconds != 0 && now.Sub(at) > m.window() {
			continue
		}
		if hits++; hits >= m.hits {
			return true
		}
	}
	return false
}

// last is when the address was seen last.
func (e *recentEntry) last() time.Time { return e.stamps[(e.next+len(e.stamps)-1)%len(e.stamps)] }

// slot is where the address stands in the hash table.
func (l *recentList) slot(addr frame.Addr) *int16 {
	h := uint32(2166136261) // FNV-1a
	var wire [16]byte
	addr.Put(wire[:])
	for _, b := range wire {
		h = (h ^ uint32(b)) * 16777619
	}
	return &l.slots[h%uint32(len(l.slots))]
}

// find returns the entry of an address, or -1. With sameTTL it must have been seen with that time to live.
func (l *recentList) find(addr frame.Addr, ttl uint8, sameTTL bool) int16 {
	for at := *l.slot(addr) - 1; at >= 0; at = l.entries[at].chain - 1 {
		if e := &l.entries[at]; e.addr == addr && (!sameTTL || e.ttl == ttl || ttl == 0 || e.ttl == 0) {
			return at
		}
	}
	return -1
}

// insert enters an address that is not there, with one time.
func (l *recentList) insert(addr frame.Addr, ttl uint8, now time.Time) {
	if len(l.free) == 0 {
		l.remove(l.oldest - 1)
	}
	at := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	slot := l.slot(addr)
	e := &l.entries[at]
	*e = recentEntry{addr: addr, ttl: ttl, stamps: e.stamps, chain: *slot}
	*slot = at + 1
	l.append(at)
	e.stamp(now)
}

// touch notes one more time, and makes the address the newest.
func (l *recentList) touch(at int16, ttl uint8, now time.Time) {
	l.unlink(at)
	l.append(at)
	l.entries[at].ttl = ttl
	l.entries[at].stamp(now)
}

func (e *recentEntry) stamp(now time.Time) {
	e.stamps[e.next] = now
	e.next = (e.next + 1) % len(e.stamps)
	e.count = min(e.count+1, len(e.stamps))
}

// remove forgets an address.
func (l *recentList) remove(at int16) {
	e := &l.entries[at]
	link := l.slot(e.addr)
	for *link != at+1 {
		link = &l.entries[*link-1].chain
	}
	*link = e.chain
	l.unlink(at)
	l.free = append(l.free, at) // never more than there were
}

// append makes an entry the newest.
func (l *recentList) append(at int16) {
	l.entries[at].older, l.entries[at].newer = l.newest, 0
	if l.newest != 0 {
		l.entries[l.newest-1].newer = at + 1
	} else {
		l.oldest = at + 1
	}
	l.newest = at + 1
}

// unlink takes an entry out of the order.
func (l *recentList) unlink(at int16) {
	e := &l.entries[at]
	if e.older != 0 {
		l.entries[e.older-1].newer = e.newer
	} else {
		l.oldest = e.newer
	}
	if e.newer != 0 {
		l.entries[e.newer-1].older = e.older
	} else {
		l.newest = e.older
	}
}

// fork returns a list with the same addresses.
func (l *recentList) fork() *recentList {
	l.mu.Lock()
	defer l.mu.Unlock()
	twin := &recentList{mask: l.mask, entries: l.entries, slots: l.slots, oldest: l.oldest, newest: l.newest,
		free: slices.Clone(l.free)}
	for i := range twin.entries {
		twin.entries[i].stamps = slices.Clone(l.entries[i].stamps)
	}
	return twin
}

// linkRecent gives the new rules of -m recent the lists that they name: those that rules of some rulesets have already,
// else new ones.
func (s *Ruleset) linkRecent(known ...*Ruleset) {
	lists := map[string]*recentList{}
	for _, old := range known {
		for m := range old.recents() {
			if m.addresses != nil {
				lists[m.listName] = m.addresses
			}
		}
	}
	for m := range s.recents() {
		if m.addresses != nil {
			continue
		}
		if lists[m.listName] == nil {
			lists[m.listName] = newRecentList(frame.AddrOf(m.mask), int(m.hits))
		}
		m.addresses = lists[m.listName]
		m.addresses.remember(int(m.hits))
	}
}

// forkRecent gives each rule of -m recent a list that begins as the one that it has.
func (s *Ruleset) forkRecent() {
	twins := map[*recentList]*recentList{}
	for m := range s.recents() {
		if twins[m.addresses] == nil {
			twins[m.addresses] = m.addresses.fork()
		}
		m.addresses = twins[m.addresses]
	}
}

// recents goes through the conditions -m recent of all rules.
func (s *Ruleset) recents() iter.Seq[*recentMatch] {
	return func(yield func(*recentMatch) bool) {
		if s == nil {
			return
		}
		for m := range s.matches() {
			if m, ok := m.(*recentMatch); ok && !yield(m) {
				return
			}
		}
	}
}
