package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/docker/go-units"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/world"
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

// LogOptions say which lines of a container's output are wanted.
type LogOptions struct {
	Tail       int // only so many of the last lines; negative: all
	Timestamps bool
	Follow     bool // and what comes from now on, until the command ends
}

// Logs writes what a container has written to a writer for each of its outputs; who asks with Follow reads until the command
// or ctx ends. A service of the lab has only one output.
func (e *Engine) Logs(ctx context.Context, reference string, o LogOptions, to func(terminal bool) func(stream) io.Writer) error {
	e.mu.Lock()
	c, err := e.find(reference)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	read, kept := e.serviceLog(c.service), world.LogBytes
	if c.service == "" {
		read, kept = c.journal.reader(), journalBytes
	}
	return copyLog(ctx, o, read, func(lost int) string {
		return fmt.Sprintf("uswitch: %d lines of %s are lost here: of what it writes the last %s are kept\n", lost, c.name, units.BytesSize(float64(kept)))
	}, to(c.config.Tty))
}

// logReader returns the entries since the last call, how many before them are forgotten, and what is closed when there are
// more, or nil if none will come.
type logReader func() (entries []entry, lost int, more <-chan struct{})

// reader reads a journal from its beginning.
func (j *journal) reader() logReader {
	next := 0
	return func() (entries []entry, lost int, more <-chan struct{}) {
		entries, lost, next, more = j.since(next)
		return entries, lost, more
	}
}

// serviceLog reads what the lab keeps of a service's output.
func (e *Engine) serviceLog(host string) logReader {
	last, gaps := uint64(0), world.LogGaps{}
	return func() (entries []entry, lost int, more <-chan struct{}) {
		lines, more := e.lab.Log(last, host)
		gaps.Mark(lines)
		for _, l := range lines {
			lost += int(l.Lost)
			entries = append(entries, entry{l.Time, stdout, []byte(l.Text + "\n")})
			last = l.Number
		}
		return entries, lost, more
	}
}

// copyLog writes what is read and, in the words of about on standard error, what was lost before it could be.
func copyLog(ctx context.Context, o LogOptions, read logReader, about func(lost int) string, to func(stream) io.Writer) error {
	entries, lost, more := read()
	if o.Tail >= 0 && o.Tail <= len(entries) {
		entries, lost = entries[len(entries)-o.Tail:], 0
	}
	for {
		if lost > 0 {
			if _, err := io.WriteString(to(stderr), about(lost)); err != nil {
				return err
			}
		}
		for _, e := range entries {
			text := e.text
			if o.Timestamps {
				text = append([]byte(e.at.UTC().Format(time.RFC3339Nano)+" "), text...)
			}
			if _, err := to(e.stream).Write(text); err != nil {
				return err
			}
		}
		if !o.Follow || more == nil {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil
		}
		entries, lost, more = read()
	}
}
