package server

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
	"uswitch/cmd/internal/control/api"
)

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
