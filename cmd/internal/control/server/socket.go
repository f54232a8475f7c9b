package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"uswitch/cmd/internal/control/api"
)

// maxPath is the longest path of a socket (unix(7): sun_path is 108 bytes with its closing zero; 104 on the BSDs).
const maxPath = 103

// Listen makes the socket of a lab. One that is there already is replaced if nobody answers behind it. Whoever calls
// holds the lab's lock.
func Listen(dir, lab string) (net.Listener, error) {
	path := api.Path(dir, lab)
	if len(path) > maxPath {
		return nil, fmt.Errorf("control socket: the path %s is %d bytes long, and %d are allowed: give the lab a shorter name with --name", path, len(path), maxPath)
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := (&net.ListenConfig{Control: closed}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return newSparing(l), nil
}

// closed gives a socket its mode before it has a path, so that there is no moment in which others see another. Linux takes
// the mode of what is bound (unix_bind in net/unix/af_unix.c); elsewhere this may fail, and Listen's chmod is early enough.
func closed(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
}

// removeStale removes a socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is in the way, and is not a socket", path)
	}
	if api.Answers(path) {
		return fmt.Errorf("%s: somebody answers there", path)
	}
	return os.Remove(path)
}
