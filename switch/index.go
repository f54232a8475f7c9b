package vswitch

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"

	"uswitch/switch/frame"
)

// index finds entries by their address. Any number of goroutines may look up, without a lock, while one, which holds the
// table's lock, changes it: they see each address as it was before or as it is afterwards.
//
//	slots  [0] --> node --> node
//	       [1]
//	       [2] --> node
//
// It is a hash table of chains, whose links are atomic pointers. There is a slot for each entry or more; when they run
// out, twice as many are built beside the old ones, with nodes of their own. The hash has a random key, so that nobody can
// choose addresses that all land in one chain; nothing that can be seen depends on it.
type index struct {
	key   [3]uint64
	slots atomic.Pointer[[]chain] // a power of two of them
	count int
}

type chain = atomic.Pointer[node]

type node struct {
	entry *entry
	next  chain
}

const minSlots = 16

func (x *index) init() {
	slots := make([]chain, minSlots)
	x.key = [3]uint64{rand.Uint64(), rand.Uint64() | 1, rand.Uint64() | 1}
	x.slots.Store(&slots)
}

// find returns the entry of an address, nil if there is none.
func (x *index) find(mac frame.MAC) *entry {
	for n := x.chain(*x.slots.Load(), mac).Load(); n != nil; n = n.next.Load() {
		if n.entry.mac == mac {
			return n.entry
		}
	}
	return nil
}

// chain returns the one of slots that an address belongs to. The hash folds the two halves of a product, twice, as wyhash
// does; package maphash takes several times as long for so few bytes.
func (x *index) chain(slots []chain, mac frame.MAC) *chain {
	// Four bytes and two, as the processor has just stored them: reading across the two would wait for the cache.
	address := uint64(binary.LittleEndian.Uint32(mac[:]))<<16 | uint64(binary.LittleEndian.Uint16(mac[4:]))
	high, low := bits.Mul64(address^x.key[0], x.key[1])
	high, low = bits.Mul64(high^low, x.key[2])
	return &slots[(high^low)&uint64(len(slots)-1)]
}

// put enters e in place of the entry that has its address. The new one is in front of the old one before that goes, so
// that the address is never unknown in between.
func (x *index) put(e *entry) {
	slots := *x.slots.Load()
	if x.count == len(slots) {
		slots = x.grow(slots)
	}
	first := x.chain(slots, e.mac)
	n := &node{entry: e}
	n.next.Store(first.Load())
	first.Store(n)
	x.count++
	x.cut(&n.next, e.mac)
}

// remove forgets an address.
func (x *index) remove(mac frame.MAC) { x.cut(x.chain(*x.slots.Load(), mac), mac) }

// cut takes the node of an address out of a chain. It still leads on whoever is looking at it.
func (x *index) cut(at *chain, mac frame.MAC) {
	for n := at.Load(); n != nil; at, n = &n.next, n.next.Load() {
		if n.entry.mac == mac {
			at.Store(n.next.Load())
			x.count--
			return
		}
	}
}

func (x *index) grow(old []chain) []chain {
	slots := make([]chain, 2*len(old))
	for e := range all(old) {
		first := x.chain(slots, e.mac)
		n := &node{entry: e}
		n.next.Store(first.Load())
		first.Store(n)
	}
	x.slots.Store(&slots)
	return slots
}

// all goes through the entries, in no order, for whoever holds the table's lock. Entries may be removed on the way.
func (x *index) all() func(yield func(*entry) bool) { return all(*x.slots.Load()) }

func all(slots []chain) func(yield func(*entry) bool) {
	return func(yield func(*entry) bool) {
		for i := range slots {
			for n := slots[i].Load(); n != nil; n = n.next.Load() {
				if !yield(n.entry) {
					return
				}
			}
		}
	}
}
