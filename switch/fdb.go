package vswitch

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
)

// FDB is the forwarding database: which station lives behind which port (802.1D 7.9). Looking up and refreshing take no
// lock, so that ports do not slow each other down; only a new, moved or removed entry takes it.
//
// The number of learned entries is bounded. When the table is full, a new station takes the place of one that has been
// silent, on a port that holds the most entries or at least its share: a port that floods the table with addresses evicts
// its own, and takes no more from the others than what is over their share. An entry that has aged is as good as absent; it is swept out when somebody trips over it.
type FDB struct {
	ageing atomic.Int64 // nanoseconds
	limit  atomic.Int64 // learned entries

	index index // changed under mu, read by anybody

	mu       sync.Mutex // guards all the queues
	local    *entry     // the local station's, nil while there is none
	learned  int
	queues   map[*Port]*queue // learned entries of each port, for eviction
	heaviest *queue           // a queue that is at least as long as the average
	moves    uint64           // how often a station was heard behind another port than before
}

// entry is where a station lives. Once it is in the index its fields do not change, but for seen, and those of its queue,
// which the table's lock guards.
type entry struct {
	mac    frame.MAC
	port   *Port // nil: the local station
	static bool  // configured: does not age and does not move
	sticky bool  // configured, but a frame from elsewhere is no crime
	since  time.Duration
	seen   atomic.Int64 // age of the switch when a frame last carried it as source
	flaps  *flaps       // nil until it has moved
	loop   *loop        // why it is held down behind its port; nil: it is not

	prev, next *entry // in its port's queue
	queued     int64  // what seen was when it was put there
}

// location is what a look-up answers.
type location struct {
	port   *Port
	static bool
	age    time.Duration // since the station was last heard; zero if configured
}

func newFDB(ageing time.Duration, limit int) *FDB {
	t := &FDB{queues: map[*Port]*queue{}}
	t.index.init()
	t.ageing.Store(int64(ageing))
	t.limit.Store(int64(limit))
	return t
}

// Ageing returns how long a learned address is believed without traffic.
func (t *FDB) Ageing() time.Duration { return time.Duration(t.ageing.Load()) }

// SetAgeing changes it for entries old and new; a negative time means that nothing is believed.
func (t *FDB) SetAgeing(d time.Duration) { t.ageing.Store(int64(d)) }

// MaxLearned returns how many learned addresses the table holds at the most.
func (t *FDB) MaxLearned() int { return int(t.limit.Load()) }

// SetMaxLearned changes the limit; surplus entries go when the next ones come.
func (t *FDB) SetMaxLearned(n int) { t.limit.Store(int64(n)) }

// lookup finds where a station lives.
func (t *FDB) lookup(mac frame.MAC, now time.Duration) (location, bool) {
	e := t.index.find(mac)
	if e == nil || t.aged(e, now) {
		return location{}, false
	}
	if e.static {
		return location{port: e.port, static: true}, true
	}
	return location{port: e.port, age: now - time.Duration(e.seen.Load())}, true
}

func (t *FDB) aged(e *entry, now time.Duration) bool {
	return !e.static && int64(now)-e.seen.Load() >= t.ageing.Load()
}

// setLocal enters the local station's own address, in place of the one it had.
func (t *FDB) setLocal(mac frame.MAC) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.local != nil {
		t.delete(t.local)
	}
	t.local = &entry{mac: mac, static: true}
	t.replace(t.local)
}

func (t *FDB) setStatic(mac frame.MAC, p *Port, sticky bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.index.find(mac); e != nil && e.port == nil {
		return fmt.Errorf("%v is the gateway's own address", mac)
	}
	t.replace(&entry{mac: mac, port: p, static: true, sticky: sticky})
	return nil
}

// Remove forgets an address, learned or static; it reports whether there was one. The local station's stays.
func (t *FDB) Remove(mac frame.MAC) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.index.find(mac)
	if e == nil || e.port == nil {
		return false
	}
	t.delete(e)
	return true
}

// Flush forgets every learned address, of one port or (nil) of all.
func (t *FDB) Flush(p *Port) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := range t.index.all() {
		if !e.static && (p == nil || e.port == p) {
			t.delete(e)
		}
	}
}

// FlushMatching forgets the entries that match, learned and static; the local station's stays. match is called under the
// table's lock and must not use the table.
func (t *FDB) FlushMatching(match func(Entry) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := range t.index.all() {
		if e.port != nil && match(Entry{MAC: e.mac, Port: e.port.nameOrNone(), Static: e.static, Sticky: e.sticky}) {
			t.delete(e)
		}
	}
}

// dropPort forgets everything about a port that goes, and keeps it from coming back through a frame still on its way.
func (t *FDB) dropPort(p *Port) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.gone.Store(true)
	for e := range t.index.all() {
		if e.port == p {
			t.delete(e)
		}
	}
	if t.heaviest == t.queues[p] {
		t.heaviest = nil
	}
	delete(t.queues, p)
}

// delete takes an entry out of the table. It needs the lock, as those below.
func (t *FDB) delete(e *entry) {
	t.unqueue(e)
	t.index.remove(e.mac)
}

// replace enters an entry in place of the one that has its address.
func (t *FDB) replace(e *entry) {
	if before := t.index.find(e.mac); before != nil {
		t.unqueue(before)
	}
	t.index.put(e)
}

func (t *FDB) unqueue(e *entry) {
	if !e.static {
		t.queues[e.port].remove(e)
		t.learned--
	}
}

// Entry is one row of the table, for people.
type Entry struct {
	MAC    frame.MAC
	Port   string        // empty: the local station
	Static bool          // configured
	Sticky bool          // configured, see Switch.SetStatic
	Since  time.Duration // since the station came to this port; the age of the switch if configured
	Seen   time.Duration // since it was last heard there
}

// Entries returns the table as it is at now, sorted by address. Aged entries are swept out on the way.
func (s *Switch) Entries(now time.Time) []Entry { return s.fdb.list(s.age(now)) }

func (t *FDB) list(now time.Duration) []Entry {
	rows := t.rows(now)
	slices.SortFunc(rows, func(a, b Entry) int { return slices.Compare(a.MAC[:], b.MAC[:]) })
	return rows
}

// rows is list unsorted: new stations wait for the lock, so it is held no longer than it has to be.
func (t *FDB) rows(now time.Duration) []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := make([]Entry, 0, t.index.count)
	for e := range t.index.all() {
		if t.aged(e, now) {
			t.delete(e)
			continue
		}
		rows = append(rows, Entry{MAC: e.mac, Port: e.port.nameOrNone(), Static: e.static, Sticky: e.sticky,
			Since: now - e.since, Seen: now - time.Duration(e.seen.Load())})
	}
	return rows
}
