package vswitch

// LongestChain returns how many entries a look-up may have to pass.
func (t *FDB) LongestChain() (longest int) {
	slots := *t.index.slots.Load()
	for i := range slots {
		n := 0
		for at := slots[i].Load(); at != nil; at = at.next.Load() {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

// DefaultFlags are a Linux bridge port's, with a storm limit.
func DefaultFlags() PortFlags {
	return PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true, RAGuard: true, NDGuard: true,
		StormLimit: DefaultStormLimit}
}

// DefaultStormLimit is a lab file's, in flooded frames a second.
const DefaultStormLimit = 10000
