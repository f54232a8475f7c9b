package uplink

import "sync"

// queues are the sockets that datagrams are read from, each with a queue in the kernel that can be full.
type queues struct {
	mu   sync.Mutex // guards what follows
	open map[*socket]struct{}
	gone uint64 // what those have dropped that are closed
}

// join makes a socket one of them, until leave is called after its end.
func (q *queues) join(s *socket) (leave func()) {
	s.queue.Store(true)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[*socket]struct{}{}
	}
	q.open[s] = struct{}{}
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.open, s)
		q.gone += s.overflowed()
	}
}

// overflowed returns what the socket's queue has dropped; of one that is closed, what that was then.
func (s *socket) overflowed() uint64 {
	_ = s.control(func(fd int) error {
		s.lost.Store(queueDrops(fd))
		return nil
	})
	return s.lost.Load()
}

// Overflowed returns how many datagrams from outside never came in because the queue of the socket that they were for was
// full: of published ports, and of the flows of hosts. They are the kernel's to count, which is asked when this is called.
func (h *Host) Overflowed() uint64 {
	h.queues.mu.Lock()
	defer h.queues.mu.Unlock()
	sum := h.queues.gone
	for s := range h.queues.open {
		sum += s.overflowed()
	}
	return sum
}
