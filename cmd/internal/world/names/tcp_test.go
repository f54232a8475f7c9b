package names_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"uswitch/cmd/internal/world/names"
)

// disguised is a listener whose clients all have one address.
type disguised struct {
	net.Listener
	as netip.Addr
}

func (d disguised) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	return client{c, d.as}, err
}

type client struct {
	net.Conn
	as netip.Addr
}

func (c client) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.as, 1818)) }

// serve answers over TCP on the loopback, to a client with an address in the lab.
func serve(t *testing.T, s *server, as string) (ask func(*dns.Msg) *dns.Msg) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Serve(ctx, disguised{l, netip.MustParseAddr(as)})
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return func(q *dns.Msg) *dns.Msg {
		reply, _, err := (&dns.Client{Net: "tcp", Timeout: 10 * time.Second}).Exchange(q, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
}

func TestTCP(t *testing.T) {
	// The resolver cuts its datagrams short, and tells more over TCP.
	o := &outside{resolvers: []string{"9.9.9.9"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{
		"9.9.9.9": func(network string, q *dns.Msg) *dns.Msg {
			reply := tells("1.2.3.4")("", q)
			if q.Question[0].Name == "large.example." && network == "udp" {
				reply.Truncated, reply.Answer = true, nil
			}
			if q.IsEdns0() != nil {
				reply.SetEdns0(1232, false)
			}
			return reply
		}}}
	f := names.NewForwarder(o, false, nil, nil)
	defer f.Close()
	s := newServer(t, f)
	s.Set(crowd(200))
	ask := serve(t, s, red)
	if reply := ask(question("crowd", dns.TypeA)); reply.Truncated || len(reply.Answer) != 200 {
		t.Errorf("%d records, truncated: %v", len(reply.Answer), reply.Truncated)
	}
	for name, want := range map[string]string{"small.example": "NOERROR 1.2.3.4", "large.example": "NOERROR 1.2.3.4"} {
		reply := ask(question(name, dns.TypeA))
		if text(reply) != want || reply.Truncated || reply.IsEdns0() != nil {
			t.Errorf("%s: %v", name, reply)
		}
	}
	if reply, _ := s.asks(red, question("large.example", dns.TypeA)); !reply.Truncated {
		t.Error("over UDP, the answer is not cut short")
	}
}

func TestTCPFromInternalNetwork(t *testing.T) {
	o := &outside{resolvers: []string{"9.9.9.9"}}
	f := names.NewForwarder(o, true, nil, nil)
	defer f.Close()
	ask := serve(t, newServer(t, f), "22.22.22.2")
	if reply := ask(question("example.com", dns.TypeA)); text(reply) != "REFUSED" {
		t.Error(text(reply))
	}
	if reply := ask(question("blue", dns.TypeA)); text(reply) != "NOERROR 22.22.22.3" {
		t.Error(text(reply))
	}
	if len(o.asked) > 0 {
		t.Errorf("asked %v", o.asked)
	}
}

// TestTCPEnds: a connection that says nothing does not hold up the end.
func TestTCPEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		newServer(t, nil).Serve(ctx, l)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	stop()
	<-ended
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}

// sent is a connection that a station has accepted: by whom it was begun is known, whatever address it is from.
type sent struct {
	client
	source uint64
}

type sender struct {
	net.Addr
	source uint64
}

func (s sender) Source() uint64 { return s.source }

func (s sent) RemoteAddr() net.Addr { return sender{s.client.RemoteAddr(), s.source} }

// byTurns is a listener whose connections come from the senders that are named beforehand.
type byTurns struct {
	net.Listener
	from chan uint64
}

func (l byTurns) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return sent{client{c, netip.MustParseAddr(red)}, <-l.from}, nil
}

// TestOneHostDoesNotEndTCP: it holds as many connections as it can, and another one's question is answered.
func TestOneHostDoesNotEndTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	from, ended := make(chan uint64, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		newServer(t, nil).Serve(ctx, byTurns{l, from})
	}()
	defer func() {
		stop()
		<-ended
	}()
	for range 600 { // more than there is room for
		from <- 7
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	from <- 8
	reply, _, err := (&dns.Client{Net: "tcp", Timeout: 10 * time.Second}).Exchange(question("blue", dns.TypeA), l.Addr().String())
	if err != nil || text(reply) != "NOERROR 11.11.11.3" {
		t.Errorf("another host: %v, %v", reply, err)
	}
}
