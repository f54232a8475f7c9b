package uplink

import (
	"sync"

	"uswitch/switch/frame"
)

// flows finds a splice by the tuple of its connection's packets that leave. Methods may be called concurrently.
type flows struct {
	mu sync.RWMutex
	of map[frame.Tuple]*splice
}

func (f *flows) find(t frame.Tuple) *splice {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.of[t]
}

func (f *flows) add(s *splice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[frame.Tuple]*splice{}
	}
	f.of[s.tuple] = s
}

// remove forgets s, unless the tuple is another one's by now.
func (f *flows) remove(s *splice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[s.tuple] == s {
		delete(f.of, s.tuple)
	}
}
