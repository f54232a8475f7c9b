package api

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/words"
)

// Up lists the labs that are up and that this user may talk to, sorted by name.
func Up() []*Client {
	var all []*Client
	var mu sync.Mutex // guards all
	var asking sync.WaitGroup
	for _, dir := range Directories() {
		sockets, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
		for _, path := range sockets {
			asking.Go(func() { // one whose process is stopped takes its time
				if !isLink(path) && Answers(path) {
					mu.Lock()
					defer mu.Unlock()
					all = append(all, NewClient(path, strings.TrimSuffix(filepath.Base(path), suffix)))
				}
			})
		}
	}
	asking.Wait()
	slices.SortFunc(all, func(a, b *Client) int { return cmp.Compare(a.lab, b.lab) })
	return all
}

// Find finds the lab that a command acts on: the one that is named, by the option or else by USWITCH_LAB, or the only one
// that is up. Whether the name can be a lab's is for the caller to say.
func Find(name string) (*Client, error) {
	name = cmp.Or(name, os.Getenv("USWITCH_LAB"))
	up := Up()
	name = Called(name, up)
	var names []string
	for _, c := range up {
		if c.lab == name || name == "" && len(up) == 1 {
			return c, nil
		}
		names = append(names, c.lab)
	}
	switch {
	case len(up) == 0:
		return nil, notUp(name)
	case name == "":
		return nil, words.Errorf("several labs are up, %s: say which with --lab NAME or USWITCH_LAB", strings.Join(names, " and "))
	}
	return nil, words.Errorf("lab %s is not up; up: %s", name, strings.Join(names, ", "))
}

func notUp(name string) error {
	switch root := os.Geteuid() == 0; {
	case name != "" && root:
		return words.Errorf("lab %s is not up", name)
	case name != "":
		return words.Errorf("lab %s is not up, that you may talk to (those of root need sudo)", name)
	case root:
		return words.Errorf("no lab is up; bring one up with `uswitch up -d host` or `uswitch run red-blue`")
	}
	return words.Errorf("no lab is up, that you may talk to (those of root need sudo); bring one up with `uswitch up -d host` or `uswitch run red-blue`")
}

// AnswerTime is how long a lab may take to answer where several are asked.
const AnswerTime = time.Second

// Reply is what one of several labs has said, or why it has not.
type Reply[T any] struct {
	Lab  *Client
	Said T
	Err  error
}

// AskAll asks all labs that are up the same, side by side, and returns their answers in the order of their names. One that is
// stopped, or too busy, is waited for no longer than AnswerTime, and keeps nobody from hearing of the others.
func AskAll[T any](ctx context.Context, ask func(context.Context, *Client) (T, error)) []Reply[T] {
	labs := Up()
	answers := make([]Reply[T], len(labs))
	var asking sync.WaitGroup
	for i, lab := range labs {
		asking.Go(func() {
			ctx, stop := context.WithTimeout(ctx, AnswerTime)
			defer stop()
			said, err := ask(ctx, lab)
			if errors.Is(err, context.DeadlineExceeded) {
				err = words.Errorf("lab %s does not answer within %v: its process is stopped, or too busy", lab.Lab(), AnswerTime)
			}
			answers[i] = Reply[T]{lab, said, err}
		})
	}
	asking.Wait()
	return answers
}

// suffix ends the name of a lab's socket: DIR/LAB.sock.
const suffix = ".sock"

// Path returns where the socket of a lab is.
func Path(dir, lab string) string { return filepath.Join(dir, lab+suffix) }

// Answers reports whether somebody listens on a socket.
func Answers(path string) bool {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist)
	}
	conn.Close()
	return true
}

// rootDirectory is root's: gone after a reboot, as what labs make of the kernel's is (tap.DefaultDir).
const rootDirectory = "/run/uswitch"

// Directory returns the directory in which the labs of this user keep their locks, sockets and records, and makes it if
// need be: /run/uswitch for root, else, or where that is refused, one of the user's own. It is the user's alone (0700).
func Directory() (string, error) {
	own := ownDirectory()
	if os.Geteuid() == 0 {
		_ = os.MkdirAll(filepath.Dir(rootDirectory), 0o755) // an image may have no /run
		err := privateDirectory(rootDirectory)
		if err == nil {
			err = writable(rootDirectory) // it may be from before /run was made read-only
		}
		if err == nil || own == "" {
			return rootDirectory, err
		}
	}
	if own == "" {
		return "", words.Errorf("there is no directory for the lab's socket: want root, or XDG_RUNTIME_DIR or HOME set")
	}
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		return "", words.Errorf("the directory for the lab's socket: %w", err)
	}
	return own, privateDirectory(own)
}

// ownDirectory returns uswitch under the directory that systemd has made for a service (RUNTIME_DIRECTORY, systemd.exec(5)), under
// XDG_RUNTIME_DIR or, where there is neither, as on macOS, under the user's caches; empty if the user has none of them.
func ownDirectory() string {
	ofService, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	base := cmp.Or(ofService, os.Getenv("XDG_RUNTIME_DIR"))
	if base == "" {
		base, _ = os.UserCacheDir()
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, "uswitch")
}

// Directories returns where labs that this user may talk to can be found.
func Directories() []string {
	dirs := []string{rootDirectory}
	if own := ownDirectory(); own != "" {
		dirs = append(dirs, own)
	}
	return dirs
}

// privateDirectory makes a directory that nobody else can look into, or makes one that is there so.
func privateDirectory(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return words.Errorf("the directory for the lab's socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return words.Errorf("%s: want a directory", dir)
	}
	if !mine(info) { // root of a user namespace finds those of the machine's root
		return words.Errorf("%s belongs to somebody else", dir)
	}
	if info.Mode().Perm() == 0o700 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return words.Errorf("%s belongs to somebody else: %w", dir, err)
	}
	return nil
}
