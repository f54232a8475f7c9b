package trace

// recent remembers about as many ids as it has places, the latest ones; ids count up from 1, so their low bits choose the
// place. It is bounded without bookkeeping. The zero value remembers nothing.
type recent [1 << 12]uint64

func (r *recent) add(id uint64)      { r[id%uint64(len(r))] = id }
func (r *recent) has(id uint64) bool { return id != 0 && r[id%uint64(len(r))] == id }
