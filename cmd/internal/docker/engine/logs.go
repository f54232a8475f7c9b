package engine

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/go-units"

	"uswitch/cmd/internal/world"
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
