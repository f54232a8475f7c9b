package tap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// homes are the namespaces of a Host's own in which it has made cards where they are. Such a card holds on to its namespace, so
// that "ip netns del" would take away nothing but a name; so the names are watched (inotify(7)), and with its name a card goes.
type homes struct {
	names namesDir

	mu    sync.Mutex // guards what follows
	watch *os.File   // nil before the first card
	cards map[string]map[*card]bool
}

// add watches over a card of a namespace that the Host has made. An error says that it cannot, or that the name is gone already.
func (h *homes) add(d *card, ns Namespace) error {
	if err := h.begin(); err != nil {
		return err
	}
	d.home = &ns
	name := filepath.Base(ns.Path)
	h.mu.Lock()
	if h.cards == nil {
		h.cards = map[string]map[*card]bool{}
	}
	if h.cards[name] == nil {
		h.cards[name] = map[*card]bool{}
	}
	h.cards[name][d] = true
	h.mu.Unlock()
	if !isAt(ns) { // between entering it and now
		h.remove(d)
		return fmt.Errorf("namespace %s: %w", ns.Name, ErrReplaced)
	}
	return nil
}

// remove forgets a card that is closed.
func (h *homes) remove(d *card) {
	name := filepath.Base(d.home.Path)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.cards[name], d)
	if len(h.cards[name]) == 0 {
		delete(h.cards, name)
	}
}

// isAt reports whether a namespace of which something is held open is still where its name was. Its inode number is no other's
// for as long.
func isAt(ns Namespace) bool {
	var stat unix.Stat_t
	err := ignoringEINTR(func() error { return unix.Stat(ns.Path, &stat) })
	return err == nil && uint64(stat.Dev) == ns.ID.Dev && stat.Ino == ns.ID.Inode
}

// begin watches the directory of names, if nobody does yet.
func (h *homes) begin() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watch != nil {
		return nil
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("inotify_init1", err)
	}
	_, err = unix.InotifyAddWatch(fd, string(h.names), unix.IN_DELETE|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_ONLYDIR)
	if err != nil {
		unix.Close(fd)
		return &os.PathError{Op: "inotify_add_watch", Path: string(h.names), Err: err}
	}
	h.watch = os.NewFile(uintptr(fd), "inotify")
	go h.run(h.watch)
	return nil
}

// run hears of names until the file is closed.
func (h *homes) run(watch *os.File) {
	var b [16 << 10]byte
	for {
		n, err := watch.Read(b[:])
		if err != nil {
			return
		}
		for rest := b[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			mask, length := binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
			end := unix.SizeofInotifyEvent + int(length)
			name, _, _ := bytes.Cut(rest[unix.SizeofInotifyEvent:end], []byte{0})
			h.look(string(name), mask&unix.IN_DELETE == 0) // else it is the directory, or something was missed
			rest = rest[end:]
		}
	}
}

// look takes away the cards of namespaces that have lost their name: of that name, or all.
func (h *homes) look(name string, all bool) {
	var there []*card
	h.mu.Lock()
	there = slices.AppendSeq(there, maps.Keys(h.cards[name]))
	if all {
		for _, cards := range h.cards {
			there = slices.AppendSeq(there, maps.Keys(cards))
		}
	}
	h.mu.Unlock()
	for _, d := range there {
		if !isAt(*d.home) && d.isHome() {
			d.lost.Store(true)
			_ = d.Close() // it is gone, as it would be with the namespace
		}
	}
}

// isHome reports whether a card is still in the namespace that it was made in. Elsewhere it is somebody else's to take away, and
// keeps nothing alive but an empty namespace without a name.
func (d *card) isHome() bool {
	home := true
	err := d.inside(func(namespace *os.File) error {
		info, err := namespace.Stat()
		if err == nil {
			home = info.Sys().(*syscall.Stat_t).Ino == d.home.ID.Inode
		}
		return err
	})
	return err != nil || home
}

func (h *homes) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watch != nil {
		h.watch.Close()
		h.watch = nil
	}
}
