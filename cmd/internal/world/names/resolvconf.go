package names

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolv is what a resolv.conf says (resolv.conf(5)).
type Resolv struct {
	Servers []netip.Addr // at most three
	Search  []string
	Options []string
}

// Bounds of a resolv.conf: what the C library reads of it, and how much of it is looked at.
const (
	maxServers = 3
	maxConf    = 64 << 10 // bytes
)

// ParseResolv reads a resolv.conf. What it does not understand it leaves out, as the C library does.
func ParseResolv(r io.Reader) (c Resolv) {
	lines := bufio.NewScanner(io.LimitReader(r, maxConf))
	lines.Buffer(nil, maxConf)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			if a, err := netip.ParseAddr(words[1]); err == nil && len(c.Servers) < maxServers && !slices.Contains(c.Servers, a) {
				c.Servers = append(c.Servers, a)
			}
		case "domain", "search": // the last one counts
			c.Search = words[1:]
		case "options":
			c.Options = append(c.Options, words[1:]...)
		}
	}
	return c
}

// Format writes a resolv.conf, below comment, each line of which begins with #.
func (c Resolv) Format(comment string) []byte {
	var b strings.Builder
	b.WriteString(comment)
	for _, a := range c.Servers {
		fmt.Fprintf(&b, "nameserver %v\n", a)
	}
	if len(c.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(c.Search, " "))
	}
	if len(c.Options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(c.Options, " "))
	}
	return []byte(b.String())
}

// File is a resolv.conf that is followed: it is read again when it has changed, but looked at once a second at most. Its
// methods may be called from many goroutines.
type File struct {
	paths []string
	now   func() time.Time

	mu     sync.Mutex // guards what follows
	looked time.Time
	info   fs.FileInfo
	conf   Resolv
	err    error
}

// lookEvery is how often a file is looked at.
const lookEvery = time.Second

// NewFile returns the first of the files at some paths that is there whenever one is looked for. now is the clock; nil means
// time.Now.
func NewFile(now func() time.Time, paths ...string) *File {
	if now == nil {
		now = time.Now
	}
	return &File{paths: paths, now: now}
}

// Read returns what the file says. Its slices are not to be changed. If there is none, the error is that of the last path.
func (f *File) Read() (Resolv, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.looked.IsZero() || now.Sub(f.looked) >= lookEvery || now.Before(f.looked) {
		f.looked = now
		f.look()
	}
	return f.conf, f.err
}

// look reads the file again if it is another one than last time.
func (f *File) look() {
	var info fs.FileInfo
	var path string
	var err error
	for _, path = range f.paths {
		if info, err = os.Stat(path); err == nil {
			break
		}
	}
	if err == nil && f.err == nil && unchanged(f.info, info) {
		return
	}
	f.info, f.err = info, err
	if err == nil {
		f.conf, f.err = readResolv(path)
	}
}

// unchanged reports whether a file is what it was.
func unchanged(before, now fs.FileInfo) bool {
	return before != nil && os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) && before.Size() == now.Size()
}

func readResolv(path string) (Resolv, error) {
	file, err := os.Open(path)
	if err != nil {
		return Resolv{}, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return Resolv{}, errors.Join(err, fmt.Errorf("%s: want a file", path))
	}
	return ParseResolv(file), nil
}
