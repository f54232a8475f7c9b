package engine

import (
	"bytes"
	"sync"
	"time"
	"uswitch/cmd/internal/docker/types"
)

// journalBytes bounds what is kept of a container's output; older lines are forgotten.
const journalBytes = 1 << 20

// maxLine is how long a line may be before it is entered in pieces, as Docker's json-file driver does.
const maxLine = 16 << 10

// stream is one of a container's two outputs, by the number that Docker's stream format has for it.
type stream byte

const (
	stdout stream = types.StreamOut
	stderr stream = types.StreamErr
)

// entry is a line of a journal, or the beginning of a very long one.
type entry struct {
	at     time.Time
	stream stream
	text   []byte // with its end of line, if it has one
}

// journal keeps a container's last output. It is safe for concurrent use.
type journal struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows
	entries []entry
	first   int               // the number of entries[0], counted from the beginning of time
	size    int               // bytes in entries
	partial map[stream][]byte // lines that have no end yet
	closed  bool
	changed chan struct{} // closed at the next change
}

func newJournal(now func() time.Time) *journal {
	return &journal{now: now, partial: map[stream][]byte{}, changed: make(chan struct{})}
}

// write enters output; b is copied.
func (j *journal) write(s stream, b []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := append(j.partial[s], b...)
	for {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 && len(text) >= maxLine {
			end = maxLine
		}
		if end == 0 {
			break
		}
		j.enter(s, bytes.Clone(text[:end]))
		text = text[end:]
	}
	j.partial[s] = bytes.Clone(text)
}

// enter needs the lock.
func (j *journal) enter(s stream, text []byte) {
	j.entries = append(j.entries, entry{j.now(), s, text})
	j.size += len(text)
	for j.size > journalBytes {
		j.size -= len(j.entries[0].text)
		j.entries = j.entries[1:]
		j.first++
	}
	j.wake()
}

func (j *journal) wake() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// open begins another run of the container's command.
func (j *journal) open() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = false
}

// close enters what has no end of line yet, and ends those who follow.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range []stream{stdout, stderr} {
		if len(j.partial[s]) > 0 {
			j.enter(s, j.partial[s])
			j.partial[s] = nil
		}
	}
	j.closed = true
	j.wake()
}

// since returns the entries from a number on, how many of them are forgotten, the number of the next one, and what is closed
// when there is more; no more will come if that is nil.
func (j *journal) since(number int) (entries []entry, lost, next int, more <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	skip, lost := max(number-j.first, 0), max(j.first-number, 0)
	entries = append(entries, j.entries[min(skip, len(j.entries)):]...)
	if !j.closed {
		more = j.changed
	}
	return entries, lost, j.first + len(j.entries), more
}
