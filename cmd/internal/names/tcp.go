package names

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/netutil"
)

// Bounds of questions over TCP (RFC 7766 6.2).
const (
	maxConns = 128
	idle     = 8 * time.Second // after which a connection without a question is closed
)

// Serve answers over TCP until ctx ends, which closes l, and returns when every connection has ended. It is called before ctx
// has ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) {
	begun := make(chan struct{})
	tcp := &dns.Server{Listener: netutil.LimitListener(l, maxConns), Handler: dns.HandlerFunc(s.serve), ReadTimeout: idle,
		WriteTimeout: idle, IdleTimeout: func() time.Duration { return idle }, MsgAcceptFunc: acceptAll,
		NotifyStartedFunc: func() { close(begun) }}
	defer context.AfterFunc(ctx, func() {
		<-begun
		_ = tcp.Shutdown() // says only that it has ended already
	})()
	_ = tcp.ActivateAndServe() // in the end the listener is closed, and that is the error
}

// acceptAll leaves to answer what is a question.
func acceptAll(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept }

// serve answers one question.
func (s *Server) serve(w dns.ResponseWriter, q *dns.Msg) {
	from, err := netip.ParseAddrPort(w.RemoteAddr().String())
	if err != nil || q.Response {
		_ = w.Close()
		return
	}
	reply, wait := s.reply(from.Addr(), "tcp", q)
	if wait != nil {
		reply = wait()
	}
	if answer := packed(reply, dns.MaxMsgSize); answer != nil {
		_, _ = w.Write(answer)
	}
}
