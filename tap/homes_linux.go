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

// homes are the namespaces of a Host's own in which it has made interfaces where they are. Such an interface holds on to its namespace, so
// that "ip netns del" would take away nothing but a name; so the names are watched (inotify(7)), and with its name an interface goes.
type homes struct {
	names namesDir

	mu    sync.Mutex // guards what follows
	watch *os.File   // nil before the first interface
	nics  map[string]map[*nic]bool
}

// add watches over an interface of a namespace that the Host has made. An error says that it cannot, or that the name is gone already.
func (h *homes) add(d *nic, ns Namespace) error {
	if err := h.begin(); err != nil {
		return err
	}
	d.home = &ns
	name := filepath.Base(ns.Path)
	h.mu.Lock()
	if h.nics == nil {
		h.nics = map[string]map[*nic]bool{}
	}
	if h.nics[name] == nil {
		h.nics[name] = map[*nic]bool{}
	}
	h.nics[name][d] = true
	h.mu.Unlock()
	if !isAt(ns) { // between entering it and now
		h.remove(d)
		return fmt.Errorf("namespace %s: %w", ns.Name, ErrReplaced)
	}
	return nil
}

// remove forgets an interface that is closed.
func (h *homes) remove(d *nic) {
	name := filepath.Base(d.home.Path)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.nics[name], d)
	if len(h.nics[name]) == 0 {
		delete(h.nics, name)
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

// look takes away the interfaces of namespaces that have lost their name: of that name, or all.
func (h *homes) look(name string, all bool) {
	var there []*nic
	h.mu.Lock()
	there = slices.AppendSeq(there, maps.Keys(h.nics[name]))
	if all {
		for _, nics := range h.nics {
			there = slices.AppendSeq(there, maps.Keys(nics))
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

// isHome reports whether an interface is still in the namespace that it was made in. Elsewhere it is somebody else's to take away, and
// keeps nothing alive but an empty namespace without a name.
func (d *nic) isHome() bool {
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
