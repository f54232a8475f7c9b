package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
)

// maxPath is the longest path of a socket (unix(7): sun_path is 108 bytes with its closing zero; 104 on the BSDs).
const maxPath = 103

// Listen makes the socket of a lab. One that is there already is replaced if nobody answers behind it. Whoever calls
// holds the lab's lock.
func Listen(dir, lab string) (net.Listener, error) {
	path := api.Path(dir, lab)
	if len(path) > maxPath {
		return nil, words.Errorf("control socket: the path %s is %d bytes long, and %d are allowed: give the lab a shorter name with --name", path, len(path), maxPath)
	}
	if err := removeStale(path); err != nil {
		return nil, words.Errorf("control socket: %w", err)
	}
	l, err := (&net.ListenConfig{Control: closed}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, words.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, words.Errorf("control socket: %w", err)
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
	if info.Mode()&fs.ModeSymlink != 0 { // the old path of another lab's
		return os.Remove(path)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return words.Errorf("%s is in the way, and is not a socket", path)
	}
	if api.Answers(path) {
		return words.Errorf("%s: somebody answers there", path)
	}
	return os.Remove(path)
}

// spares is how many descriptors a lab's socket has in reserve: so many can ask at a time when there are no others left.
const spares = 8

// sparing is a listener that can accept although the process has no file descriptor left: it has some that it gives up for that,
// and takes back when whoever asked has gone. So a lab that has run out of them can still be looked at, and taken down.
type sparing struct {
	net.Listener

	mu       sync.Mutex // guards what follows
	reserved []*os.File
	closed   bool
}

func newSparing(l net.Listener) *sparing {
	s := &sparing{Listener: l}
	s.fill()
	return s
}

// fill takes as many descriptors as are missing and can be had.
func (s *sparing) fill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && len(s.reserved) < spares {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		s.reserved = append(s.reserved, f)
	}
}

// spare gives one up, if there is one.
func (s *sparing) spare() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.reserved) - 1
	if last < 0 {
		return false
	}
	_ = s.reserved[last].Close()
	s.reserved = s.reserved[:last]
	return true
}

// Accept implements net.Listener.
func (s *sparing) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err == nil {
			return &refilling{Conn: c, from: s}, nil
		}
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) || !s.spare() {
			return nil, err
		}
	}
}

// Close implements net.Listener.
func (s *sparing) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for s.spare() {
	}
	return s.Listener.Close()
}

// refilling is a connection whose descriptor goes back to the reserve.
type refilling struct {
	net.Conn
	from *sparing
}

// Close implements net.Conn.
func (c *refilling) Close() error {
	err := c.Conn.Close()
	c.from.fill()
	return err
}

// CloseWrite and SyscallConn are those of a *net.UnixConn: for streams whose one direction ends before the other, and for whoever
// wants to know more of the other side.

func (c *refilling) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn implements syscall.Conn.
func (c *refilling) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// guard lets in only those who may: this user, and root.
type guard struct {
	net.Listener
	peer func(net.Conn) (uid int, err error) // who is at the other end
	room chan struct{}                       // a place for each open connection
}

// maxConns bounds how many clients are connected at once.
const maxConns = 256

func newGuard(l net.Listener) *guard {
	return &guard{Listener: l, peer: peerUID, room: make(chan struct{}, maxConns)}
}

// Accept implements net.Listener. Others get one sentence, whatever they ask for.
func (g *guard) Accept() (net.Conn, error) {
	g.room <- struct{}{}
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			<-g.room
			return nil, err
		}
		uid, err := g.peer(conn)
		if err == nil && (uid == 0 || uid == os.Geteuid()) {
			return &counted{Conn: conn, room: g.room}, nil
		}
		go turnAway(conn, uid, err)
	}
}

// onSocket calls f with the descriptor of a connection, which must be one of a unix socket.
func onSocket(conn net.Conn, f func(fd int) error) error {
	c, ok := conn.(syscall.Conn)
	if !ok || conn.LocalAddr().Network() != "unix" {
		return words.Errorf("not a unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = raw.Control(func(fd uintptr) { failure = f(int(fd)) })
	return errors.Join(err, failure)
}

func turnAway(conn net.Conn, uid int, err error) {
	defer conn.Close()
	text := fmt.Sprintf("this lab belongs to user %d, and you are user %d", os.Geteuid(), uid)
	if err != nil {
		text = "who you are cannot be found out"
	}
	body, _ := json.Marshal(api.Error{Message: text})
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = conn.Read(make([]byte, 4096)) // a client does not listen before it has asked
	fmt.Fprintf(conn, "HTTP/1.1 %d Forbidden\r\n%s: %d\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		http.StatusForbidden, api.VersionHeader, api.Version, len(body), body)
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	room chan struct{}
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { <-c.room })
	return c.Conn.Close()
}
