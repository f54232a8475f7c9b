package engine

import (
	"context"
	"io"
	"time"
)

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
	read := e.serviceLog(c.service)
	if c.service == "" {
		read = c.journal.reader()
	}
	return copyLog(ctx, o, read, to(c.config.Tty))
}

// logReader returns the entries since the last call, and what is closed when there are more, or nil if none will come.
type logReader func() (entries []entry, more <-chan struct{})

// reader reads a journal from its beginning.
func (j *journal) reader() logReader {
	next := 0
	return func() (entries []entry, more <-chan struct{}) {
		entries, next, more = j.since(next)
		return entries, more
	}
}

// serviceLog reads what the lab keeps of a service's output.
func (e *Engine) serviceLog(host string) logReader {
	last := uint64(0)
	return func() (entries []entry, more <-chan struct{}) {
		lines, more := e.lab.Log(last, host)
		for _, l := range lines {
			entries = append(entries, entry{l.Time, stdout, []byte(l.Text + "\n")})
			last = l.Number
		}
		return entries, more
	}
}

// copyLog writes what is read.
func copyLog(ctx context.Context, o LogOptions, read logReader, to func(stream) io.Writer) error {
	entries, more := read()
	if o.Tail >= 0 && o.Tail < len(entries) {
		entries = entries[len(entries)-o.Tail:]
	}
	for {
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
		entries, more = read()
	}
}
