package engine

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// line is a connection that is spoken on once it is open: who reads or writes waits for that.
type line struct {
	opened chan struct{}
	conn   net.Conn
	in     io.Reader
}

func newLine() *line { return &line{opened: make(chan struct{})} }

func (l *line) Write(b []byte) (int, error) {
	if <-l.opened; l.conn == nil {
		return 0, net.ErrClosed
	}
	return l.conn.Write(b)
}

func (l *line) Read(b []byte) (int, error) {
	if <-l.opened; l.conn == nil {
		return 0, net.ErrClosed
	}
	return l.in.Read(b)
}

// open takes the connection of a request for what is attached to it, and lets go of it at the end of that; or it refuses
// the request if there is an error already.
func (l *line) open(w http.ResponseWriter, terminal bool, a *attachment, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		close(l.opened)
		refuse(w, err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Time{})
	fmt.Fprintf(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: %s\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", contentType(terminal))
	l.conn, l.in = conn, buffered
	close(l.opened)
	for {
		select {
		case <-a.ended:
			return
		case <-time.After(lookTime):
			if hungUp(conn) {
				a.leave()
			}
		}
	}
}

// lookTime is how often it is looked whether a client is still there that says nothing and hears nothing.
const lookTime = time.Second

// hungUp reports whether the other side has closed a connection altogether: one that has closed only its half still listens.
func hungUp(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	up := true
	err = raw.Control(func(fd uintptr) {
		look := []unix.PollFd{{Fd: int32(fd)}}
		_, failed := unix.Poll(look, 0)
		up = failed != nil || look[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) == 0
	})
	return err != nil || !up
}
