package names

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Bounds of questions over TCP (RFC 7766 6.2).
const (
	maxConns        = 512
	maxConnsPerHost = 16
	idle            = 8 * time.Second // after which a connection without a question is closed
)

// Sender is the RemoteAddr of a connection whose listener knows by which host it was begun, as a station's does; Source is
// that of its frames.
type Sender interface {
	net.Addr
	Source() uint64
}

// Serve answers over TCP until ctx ends, which closes l, and returns when every connection has ended. It is called before ctx
// has ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) {
	begun := make(chan struct{})
	tcp := &dns.Server{Listener: &fair{Listener: l, perHost: map[host]int{}}, Handler: dns.HandlerFunc(s.serve), ReadTimeout: idle,
		WriteTimeout: idle, IdleTimeout: func() time.Duration { return idle }, MsgAcceptFunc: acceptAll,
		NotifyStartedFunc: func() { close(begun) }}
	defer context.AfterFunc(ctx, func() {
		<-begun
		_ = tcp.Shutdown() // says only that it has ended already
	})()
	_ = tcp.ActivateAndServe() // in the end the listener is closed, and that is the error
}

// ServeTurns is Serve in turns with all else, on a listener that ends by itself, as its connections do: each is a task of the clock's,
// where Serve has goroutines.
func (s *Server) ServeTurns(l net.Listener) {
	all := &fair{Listener: l, perHost: map[host]int{}}
	for {
		c, err := all.Accept()
		if err != nil {
			return
		}
		s.config.Clock.Go(func() {
			defer c.Close()
			conn := &dns.Conn{Conn: c}
			for {
				_ = c.SetDeadline(s.config.Clock.Now().Add(idle))
				q, err := conn.ReadMsg()
				if err != nil || q.Response {
					return
				}
				if answer := s.answerTCP(c.RemoteAddr(), q); answer != nil {
					_, _ = conn.Write(answer)
				}
			}
		})
	}
}

// answerTCP answers one question; nil for one that gets no answer.
func (s *Server) answerTCP(remote net.Addr, q *dns.Msg) []byte {
	from, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return nil
	}
	reply, wait := s.reply(from.Addr(), hostAt(remote, from.Addr()), "tcp", q)
	if wait != nil {
		s.config.Clock.Outside(func() { reply = wait() })
	}
	return packed(reply, dns.MaxMsgSize)
}

// acceptAll leaves to answer what is a question.
func acceptAll(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }

// serve answers one question.
func (s *Server) serve(w dns.ResponseWriter, q *dns.Msg) {
	if q.Response {
		_ = w.Close()
		return
	}
	if answer := s.answerTCP(w.RemoteAddr(), q); answer != nil {
		_, _ = w.Write(answer)
	}
}

// hostAt returns whose limits a connection counts for.
func hostAt(remote net.Addr, addr netip.Addr) host {
	if s, ok := remote.(Sender); ok {
		return hostOf(s.Source(), addr)
	}
	return hostOf(0, addr)
}

// fair is a listener from which one host gets no more than its share of connections. The others of its are closed at once.
type fair struct {
	net.Listener

	mu      sync.Mutex // guards what follows
	open    int
	perHost map[host]int
}

// Accept implements net.Listener.
func (l *fair) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if who := hostAt(c.RemoteAddr(), from.Addr()); l.admit(who) {
			return &counted{Conn: c, end: sync.OnceFunc(func() { l.end(who) })}, nil
		}
		_ = c.Close()
	}
}

func (l *fair) admit(who host) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= maxConns || l.perHost[who] >= maxConnsPerHost {
		return false
	}
	l.open++
	l.perHost[who]++
	return true
}

func (l *fair) end(who host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.perHost[who]--; l.perHost[who] == 0 {
		delete(l.perHost, who)
	}
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	end func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.end()
	return c.Conn.Close()
}
