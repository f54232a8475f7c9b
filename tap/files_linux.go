package tap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Files of a namespace stand in a directory of their own beside the records, which is named after the namespace's identity
// and has its owner's mark beside it:
//
//	DIR/LAB.d/etc-4026532281-5123/         resolv.conf, hosts, hostname
//	DIR/LAB.d/etc-4026532281-5123.owner    which process answers for it
//	/etc/netns/RED -> DIR/LAB.d/etc-4026532281-5123
//
// The link is how "ip netns exec" finds them. It says itself whose it is, so that nobody else's is ever removed, not even
// after a reboot, which leaves the link behind and nothing else.

// etcDir is where "ip netns exec" looks for files of namespaces.
const etcDir = "/etc/netns"

// filesOwner is the owner's mark on a directory of files.
type filesOwner struct {
	process
	Link   string `json:"link,omitempty"`   // in etcDir, if there was room for it
	Parent bool   `json:"parent,omitempty"` // its process has made etcDir
}

const ownerSuffix = ".owner"

// etcParent remembers whether this process has made etcDir. Then every mark says so, for it is not known which one will be
// the last to go.
type etcParent struct {
	mu   sync.Mutex
	made bool
}

// make makes etcDir unless it is there, and reports whether this process has made it, now or before.
func (e *etcParent) make() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made = os.Mkdir(etcDir, 0o755) == nil || e.made
	return e.made
}

// filesDir returns where the files of a namespace stand.
func (r records) filesDir(lab string, id ID) string {
	return filepath.Join(r.dir, lab+".d", fmt.Sprintf("etc-%d-%d", id.Inode, id.Cookie))
}

// Files implements Host.
func (l *local) Files(lab string, ns Namespace, files map[string][]byte) error {
	if err := checkName("lab", lab); err != nil {
		return err
	}
	for name := range files {
		if err := checkName("file", name); err != nil {
			return err
		}
	}
	dir := l.records.filesDir(lab, ns.ID)
	err := l.names.locked(func() error { // or a Reclaim beside it takes a half-written mark for litter
		err := l.records.writeFiles(dir, ns, files)
		if len(files) == 0 || err != nil {
			err = errors.Join(err, l.records.removeFiles(dir))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("files of namespace %s: %w", ns.Name, err)
	}
	return nil
}

// writeFiles writes what is to be there and removes what is not. A file that is there already is written in place, since
// programs that run may have it before their eyes.
func (r records) writeFiles(dir string, ns Namespace, files map[string][]byte) error {
	if len(files) == 0 {
		return nil
	}
	if _, err := readOwner(dir); errors.Is(err, fs.ErrNotExist) {
		if err := r.claim(dir, ns); err != nil {
			return err
		}
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range before {
		if files[entry.Name()] == nil {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if text, unread := os.ReadFile(path); unread == nil && bytes.Equal(text, files[name]) {
			continue // nobody is to see it empty, not even for a moment
		}
		err = errors.Join(err, os.WriteFile(path, files[name], 0o644), os.Chmod(path, 0o644)) // whatever the umask says
	}
	return err
}

// claim makes the directory, and the link to it where there is none: first the mark, so that a crash leaves nothing that
// nobody answers for.
func (r records) claim(dir string, ns Namespace) error {
	self, err := thisProcess()
	if err != nil {
		return err
	}
	o := filesOwner{process: self, Link: linkOf(ns)}
	if o.Link != "" {
		o.Parent = r.etc.make()
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := writeWhole(dir+ownerSuffix, text); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if o.Link != "" {
		r.link(dir, o.Link)
	}
	return os.Chmod(dir, 0o755)
}

// linkOf returns the path at which "ip netns exec" looks for the files of a namespace, or nothing if it does not know it.
func linkOf(ns Namespace) string {
	if dir, name := filepath.Split(ns.Path); dir == netnsDir+"/" || dir == "/var/run/netns/" {
		return filepath.Join(etcDir, name)
	}
	return ""
}

// link makes a link to the directory unless something else has its name; then "ip netns exec" shows what somebody wants it
// to show. A link that a process has left behind that is gone has no claim. Where /etc cannot be written, there is none.
func (r records) link(dir, path string) {
	target, err := os.Readlink(path)
	if err == nil && strings.HasPrefix(target, r.dir+"/") {
		if o, err := readOwner(target); err == nil && o.alive() {
			return
		}
		_ = r.removeFiles(target)
		_ = os.Remove(path)
	}
	_ = os.Symlink(dir, path)
}

// removeFiles removes the directory of a namespace with its link and its mark. What is not there is no error.
func (r records) removeFiles(dir string) error {
	o, err := readOwner(dir)
	if damaged := new(markError); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &damaged) {
		return err // it could not be looked at, for want of a descriptor perhaps: later it can be
	}
	if errors.Is(err, fs.ErrNotExist) { // the mark comes first and goes last
		if _, none := os.Lstat(dir); errors.Is(none, fs.ErrNotExist) {
			return nil
		}
	}
	err = nil
	links := []string{o.Link}
	if o.Link == "" { // there is none, or the mark does not tell
		links = linksTo(dir)
	}
	for _, link := range links {
		if target, noLink := os.Readlink(link); noLink == nil && target == dir {
			err = errors.Join(err, os.Remove(link))
		}
	}
	if o.Parent {
		_ = os.Remove(etcDir) // fails while somebody else uses it, as it should
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		return err // the mark goes last, or nobody would ever find the rest
	}
	if err = os.Remove(dir + ownerSuffix); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	_ = os.Remove(filepath.Dir(dir)) // likewise
	return err
}

// linksTo returns the links in etcDir that lead to a directory.
func linksTo(dir string) (links []string) {
	entries, _ := os.ReadDir(etcDir)
	for _, entry := range entries {
		path := filepath.Join(etcDir, entry.Name())
		if target, err := os.Readlink(path); err == nil && target == dir {
			links = append(links, path)
		}
	}
	return links
}

// sweepFiles removes the files of a lab whose owners are gone: those whose mark says so, and, of a lab that nobody answers for,
// those that have no mark, or one that says nothing.
func (r records) sweepFiles(lab string) error {
	found, err := filepath.Glob(filepath.Join(r.dir, lab+".d", "etc-*"))
	var dirs []string
	for _, path := range found {
		dirs = append(dirs, strings.TrimSuffix(path, ownerSuffix))
	}
	for _, dir := range slices.Compact(slices.Sorted(slices.Values(dirs))) {
		o, unreadable := readOwner(dir)
		if unreadable == nil && !o.alive() || unreadable != nil && !r.answered(lab) {
			err = errors.Join(err, r.removeFiles(dir))
		}
	}
	return err
}

// answered reports whether a process that is alive answers for anything of a lab. One process answers for all of it; so what a
// damaged mark does not tell, the others do.
func (r records) answered(lab string) bool {
	names, _ := r.names(lab)
	for _, name := range names {
		if found, err := r.read(lab, name); err == nil && found.alive() {
			return true
		}
	}
	marks, _ := filepath.Glob(filepath.Join(r.dir, lab+".d", "etc-*"+ownerSuffix))
	for _, mark := range marks {
		if o, err := readOwner(strings.TrimSuffix(mark, ownerSuffix)); err == nil && o.alive() {
			return true
		}
	}
	return false
}

// findFiles returns the directory of a namespace's files, whichever lab they are of.
func (r records) findFiles(id ID) (dir string, ok bool) {
	found, _ := filepath.Glob(r.filesDir("*", id))
	for _, dir := range found {
		if o, err := readOwner(dir); err == nil && o.alive() {
			return dir, true
		}
	}
	return "", false
}

func readOwner(dir string) (o filesOwner, err error) {
	text, err := os.ReadFile(dir + ownerSuffix)
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return filesOwner{}, &markError{err}
	}
	return o, nil
}

// markError says that a mark was read, and says nothing.
type markError struct{ error }
