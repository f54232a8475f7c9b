package sim

import (
	"slices"
	"time"

	"uswitch/switch/frame"
)

// reassembly puts packets together again for machines (RFC 791 3.2): the gateway's has bounds for each sender. The zero value
// is ready.
type reassembly struct{ waiting []*incomplete } // oldest first

// incomplete is a packet some of whose fragments have come.
type incomplete struct {
	key       frame.FragmentKey
	since     time.Time
	fragments frame.Fragments[frame.IP]
}

// Bounds of the table: packets that wait at once, and how long (RFC 1122 3.3.2, Linux ipfrag_time).
const (
	maxWaiting = 64
	maxWait    = 30 * time.Second
)

// add takes a fragment, and returns the packet once it is whole, else nil. One that contradicts the others ends the packet.
func (t *reassembly) add(ip frame.IP, now time.Time) frame.IP {
	p := t.of(ip, now)
	at, fit := p.fragments.Fit(ip)
	switch fit {
	case frame.Duplicate:
		return nil
	case frame.Contradicts:
		t.forget(p)
		return nil
	}
	p.fragments.Insert(at, ip, slices.Clone(ip))
	total, whole := p.fragments.Whole()
	if !whole {
		return nil
	}
	t.forget(p)
	if total > p.fragments.At(0).FragmentMost() {
		return nil
	}
	return p.fragments.AppendWhole(nil, func(ip frame.IP) frame.IP { return ip })
}

// of finds the packet that a fragment belongs to, or begins it.
func (t *reassembly) of(ip frame.IP, now time.Time) *incomplete {
	t.waiting = slices.DeleteFunc(t.waiting, func(p *incomplete) bool { return now.Sub(p.since) >= maxWait })
	key := frame.FragmentKeyOf(ip)
	for _, p := range t.waiting {
		if p.key == key {
			return p
		}
	}
	if len(t.waiting) == maxWaiting {
		t.waiting = slices.Delete(t.waiting, 0, 1)
	}
	p := &incomplete{key: key, since: now}
	t.waiting = append(t.waiting, p)
	return p
}

func (t *reassembly) forget(gone *incomplete) {
	t.waiting = slices.DeleteFunc(t.waiting, func(p *incomplete) bool { return p == gone })
}
