package test

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long something that must come is waited for. Nothing is expected to take this long; a test that gets
// here has failed.
const patience = 30 * time.Second

// lines are what a program has written so far.
type lines struct {
	mu   sync.Mutex
	all  []string
	news chan struct{} // closed when there is more, or no more to come
	end  bool
}

func newLines() *lines { return &lines{news: make(chan struct{})} }

// read takes lines until the end.
func (l *lines) read(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			l.add(strings.TrimSuffix(line, "\n"), false)
		}
		if err != nil {
			l.add("", true)
			return
		}
	}
}

func (l *lines) add(line string, end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !end {
		l.all = append(l.all, line)
	}
	l.end = l.end || end
	close(l.news)
	l.news = make(chan struct{})
}

// from returns the lines from the nth on, whether they were the last, and what is closed when there are more.
func (l *lines) from(n int) (more []string, end bool, news <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all[min(n, len(l.all)):]), l.end, l.news
}

func (l *lines) count() int {
	more, _, _ := l.from(0)
	return len(more)
}

func (l *lines) String() string {
	all, _, _ := l.from(0)
	return strings.Join(all, "\n")
}

// tail returns the last lines.
func (l *lines) tail() string {
	all, _, _ := l.from(0)
	return strings.Join(all[max(0, len(all)-12):], "\n")
}

// find waits for a line that matches, from the nth on. what is for the message of its failure.
func (l *lines) find(t *testing.T, n int, what string, matches func(string) bool) string {
	t.Helper()
	late := time.After(patience)
	for seen := n; ; {
		more, end, news := l.from(seen)
		if i := slices.IndexFunc(more, matches); i >= 0 {
			return more[i]
		}
		if seen += len(more); end {
			t.Fatalf("no %s in all that was written, which ends with\n%s", what, l.tail())
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("no %s in what was written so far, which ends with\n%s", what, l.tail())
		}
	}
}

// containing matches lines in which all of the words stand.
func containing(words ...string) func(string) bool {
	return func(line string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) })
	}
}

// eventually waits for what nobody announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
