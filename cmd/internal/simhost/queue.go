package simhost

import "sync"

// queue carries what is written on the goroutine of the hosts, where nothing may wait, to a program's own.
type queue struct {
	wake chan struct{}

	mu     sync.Mutex // guards what follows
	text   []byte
	status int
	ended  bool
}

// maxText bounds what waits for a program's output: beyond, it is lost. At a line of ping a millisecond, that is a quarter
// of an hour.
const maxText = 64 << 20

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// Write implements io.Writer. It does not wait.
func (q *queue) Write(b []byte) (int, error) {
	q.mu.Lock()
	if len(q.text)+len(b) <= maxText {
		q.text = append(q.text, b...)
	}
	q.mu.Unlock()
	q.tell()
	return len(b), nil
}

// end says that nothing more will be written; only the first status counts.
func (q *queue) end(status int) {
	q.mu.Lock()
	if !q.ended {
		q.ended, q.status = true, status
	}
	q.mu.Unlock()
	q.tell()
}

func (q *queue) tell() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for text or the end, or for the end of everything.
func (q *queue) next(over <-chan struct{}) (text []byte, status int, ended bool) {
	select {
	case <-q.wake:
	case <-over:
		q.end(1)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	text, q.text = q.text, nil
	return text, q.status, q.ended
}
