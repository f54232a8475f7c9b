package world

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"sync"
	"time"
)

// LogBytes bounds what is remembered of one host's output: about what a terminal's history holds.
const LogBytes = 256 << 10

// LogLine is a line that a host's command has written.
type LogLine struct {
	Number  uint64 // from 1, in the order in which the lab's hosts have written
	Ordinal uint64 // from 1, among the lines of this host: where one is missing, lines were forgotten
	Time    time.Time
	Host    string
	Text    string
	// Lost is how many lines of the host before this one were forgotten before they could be read.
	Lost uint64
}

// LogGaps finds what was lost between the lines that somebody reads: by host, the last ordinal that they have read.
type LogGaps map[string]uint64

// Mark enters in lines, which are the next ones, how many before each are lost.
func (g LogGaps) Mark(lines []LogLine) {
	for i := range lines {
		l := &lines[i]
		if l.Ordinal <= g[l.Host] {
			g[l.Host] = 0 // another host of that name
		}
		l.Lost, g[l.Host] = l.Ordinal-g[l.Host]-1, l.Ordinal
	}
}

// logbook remembers the last lines of each host, through as many runs of its command as there are.
type logbook struct {
	now func() time.Time

	mu     sync.Mutex // guards what follows
	last   uint64
	hosts  map[string]*hostLog
	waiter chan struct{} // closed by the next line; nil while nobody waits
}

type hostLog struct {
	lines []LogLine
	bytes int
	last  uint64 // the last line's ordinal
}

// add writes lines of a host into the book, and as many old ones out of it as there is no more room for.
func (b *logbook) add(host string, lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hosts == nil {
		b.hosts = map[string]*hostLog{}
	}
	log := b.hosts[host]
	if log == nil {
		log = &hostLog{}
		b.hosts[host] = log
	}
	now := b.now()
	for _, text := range lines {
		b.last++
		log.last++
		log.lines = append(log.lines, LogLine{Number: b.last, Ordinal: log.last, Time: now, Host: host, Text: text})
		log.bytes += len(text) + lineCost
	}
	old := 0
	for ; log.bytes > LogBytes; old++ {
		log.bytes -= len(log.lines[old].Text) + lineCost
	}
	log.lines = slices.Delete(log.lines, 0, old)
	if b.waiter != nil {
		close(b.waiter)
		b.waiter = nil
	}
}

// lineCost is about what a line costs besides its text.
const lineCost = 64

// remove forgets a host.
func (b *logbook) remove(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.hosts, host)
}

// Log returns the lines behind the one of that number that the hosts have written, of all hosts if none is named, and what is
// closed when there are more. Of each host the last lines are remembered, some 256 KiB.
func (w *World) Log(after uint64, hosts ...string) (lines []LogLine, more <-chan struct{}) {
	b := &w.log
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, log := range b.hosts {
		if len(hosts) > 0 && !slices.Contains(hosts, name) {
			continue
		}
		i, _ := slices.BinarySearchFunc(log.lines, after+1, func(l LogLine, n uint64) int { return cmp.Compare(l.Number, n) })
		lines = append(lines, log.lines[i:]...)
	}
	slices.SortFunc(lines, func(a, b LogLine) int { return cmp.Compare(a.Number, b.Number) })
	if b.waiter == nil {
		b.waiter = make(chan struct{})
	}
	return lines, b.waiter
}

// maxLine is how much of a line without end is kept before it is taken for one.
const maxLine = 8 << 10

// Lines cuts what is written to it into lines and hands them on, without their ends. What is left without an end when it is
// closed is a line too. One goroutine writes.
func Lines(take func(lines []string)) io.WriteCloser { return &lineCutter{take: take} }

type lineCutter struct {
	take func([]string)
	rest []byte // the beginning of a line whose end has not come yet
}

// Write implements io.Writer.
func (c *lineCutter) Write(b []byte) (int, error) {
	c.rest = append(c.rest, b...)
	var lines []string
	for {
		line, rest, ok := bytes.Cut(c.rest, []byte("\n"))
		if len(line) > maxLine {
			line, rest, ok = c.rest[:maxLine], c.rest[maxLine:], true
		}
		if !ok {
			break
		}
		lines = append(lines, string(line))
		c.rest = rest
	}
	if len(lines) > 0 {
		c.take(lines)
	}
	return len(b), nil
}

// Close implements io.Closer.
func (c *lineCutter) Close() error {
	if len(c.rest) > 0 {
		c.take([]string{string(c.rest)})
		c.rest = nil
	}
	return nil
}
