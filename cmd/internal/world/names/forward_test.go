package names_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"uswitch/cmd/internal/world/names"
)

// outside is all the resolvers that there are, in memory. Each answers as its script says; nil is silence.
type outside struct {
	scripts   map[string]func(network string, q *dns.Msg) *dns.Msg // by address
	resolvers []string
	err       error

	mu    sync.Mutex // guards asked
	asked []string   // network, address, name
}

// Resolvers implements names.Upstream.
func (o *outside) Resolvers() (all []netip.AddrPort, err error) {
	for _, a := range o.resolvers {
		all = append(all, netip.MustParseAddrPort(a+":53"))
	}
	return all, o.err
}

// Permits implements names.Upstream: nobody may ask the machine itself.
func (o *outside) Permits(own netip.Addr) error {
	if own.IsLoopback() {
		return errors.New("closed to the lab")
	}
	return nil
}

// Dial implements names.Upstream: a pipe to a resolver. It is a stream for udp too, which changes no message.
func (o *outside) Dial(_ context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	script, ok := o.scripts[to.Addr().String()]
	if !ok {
		return nil, errors.New("no route to host")
	}
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		conn := &dns.Conn{Conn: far}
		q, err := conn.ReadMsg()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.asked = append(o.asked, network+" "+to.Addr().String()+" "+strings.TrimSuffix(q.Question[0].Name, "."))
		o.mu.Unlock()
		if reply := script(network, q); reply != nil {
			_ = conn.WriteMsg(reply)
		}
		_, _ = conn.ReadMsg() // until the other side hangs up
	}()
	return near, nil
}

// questions returns what was asked, probes left out.
func (o *outside) questions() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.asked), func(line string) bool { return strings.HasSuffix(line, ".uswitch.test") })
}

func silent(string, *dns.Msg) *dns.Msg { return nil }

// tells answers with one address.
func tells(addr string) func(string, *dns.Msg) *dns.Msg {
	return func(_ string, q *dns.Msg) *dns.Msg {
		reply := new(dns.Msg).SetReply(q)
		reply.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5},
			A: net.ParseIP(addr)}}
		return reply
	}
}

// says answers with a status only.
func says(code int) func(string, *dns.Msg) *dns.Msg {
	return func(_ string, q *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(q, code) }
}

// changed answers with what a change makes of an answer.
func changed(change func(*dns.Msg)) func(string, *dns.Msg) *dns.Msg {
	return func(_ string, q *dns.Msg) *dns.Msg {
		reply := tells("6.6.6.6")("", q)
		change(reply)
		return reply
	}
}

const red = "11.11.11.2"

func TestForward(t *testing.T) {
	for _, c := range []struct {
		what         string
		first, other func(string, *dns.Msg) *dns.Msg
		want         string
		questions    int
	}{
		{"the first answers", tells("1.2.3.4"), silent, "NOERROR 1.2.3.4", 1},
		{"there is no such name", says(dns.RcodeNameError), tells("6.6.6.6"), "NXDOMAIN", 1},
		{"the first is silent", silent, tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
		{"the first cannot", says(dns.RcodeServerFailure), tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
		{"the first does not want to", says(dns.RcodeRefused), tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
		{"nobody wants to", says(dns.RcodeRefused), says(dns.RcodeRefused), "REFUSED", 2},
		{"nobody answers", silent, silent, "SERVFAIL", 3},
		{"another answer's number", changed(func(m *dns.Msg) { m.Id++ }), tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
		{"another question", changed(func(m *dns.Msg) { m.Question[0].Name = "evil.example." }), tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
		{"no question", changed(func(m *dns.Msg) { m.Question = nil }), tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
		{"a question for an answer", changed(func(m *dns.Msg) { m.Response = false }), tells("1.2.3.4"), "NOERROR 1.2.3.4", 2},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &outside{resolvers: []string{"9.9.9.9", "8.8.8.8"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{
					"9.9.9.9": c.first, "8.8.8.8": c.other}}
				f := names.NewForwarder(o, false, nil, nil)
				defer f.Close()
				s := newServer(t, f)
				began := time.Now()
				reply, _ := s.asks(red, question("example.com", dns.TypeA))
				if got := text(reply); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
				if got := o.questions(); len(got) != c.questions {
					t.Errorf("asked %v, want %d questions", got, c.questions)
				}
			})
		})
	}
}

// TestNobodyToAsk: the asker learns why, and soon.
func TestNobodyToAsk(t *testing.T) {
	for why, o := range map[string]*outside{
		"no resolver is named": {err: errors.New("no resolver is named")},
		"no route to host":     {resolvers: []string{"7.7.7.7"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := names.NewForwarder(o, false, nil, nil)
			defer f.Close()
			q := question("example.com", dns.TypeA)
			q.SetEdns0(1232, false)
			reply, _ := newServer(t, f).asks(red, q)
			if got := text(reply); got != "SERVFAIL" || !strings.Contains(reply.IsEdns0().Option[0].String(), why) {
				t.Errorf("%s %v, want SERVFAIL and %s", got, reply.IsEdns0().Option, why)
			}
		})
	}
}

// TestInternalNetworksAskNobody: not even a connection is made.
func TestInternalNetworksAskNobody(t *testing.T) {
	o := &outside{resolvers: []string{"9.9.9.9"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{"9.9.9.9": tells("1.2.3.4")}}
	f := names.NewForwarder(o, true, nil, nil)
	defer f.Close()
	s := newServer(t, f)
	for _, name := range []string{"example.com", "red", "2.11.11.11.in-addr.arpa", "8.8.8.8.in-addr.arpa"} {
		if reply, _ := s.asks("22.22.22.2", question(name, dns.TypeA)); reply.Rcode != dns.RcodeRefused && reply.Rcode != dns.RcodeNameError {
			t.Errorf("%s: %s", name, text(reply))
		}
	}
	if len(o.asked) > 0 {
		t.Errorf("asked %v", o.asked)
	}
}

func TestOwnResolvers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{resolvers: []string{"9.9.9.9"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{
			"9.9.9.9": tells("9.9.9.9"), "5.5.5.5": tells("5.5.5.5")}}
		f := names.NewForwarder(o, false, nil, nil)
		defer f.Close()
		s := newServer(t, f)
		r := names.Records{Networks: records.Networks, Hosts: slices.Clone(records.Hosts)}
		r.Hosts[0].Resolvers = []netip.Addr{netip.MustParseAddr("5.5.5.5")}
		s.Set(r)
		for from, want := range map[string]string{red: "NOERROR 5.5.5.5", "11.11.11.3": "NOERROR 9.9.9.9"} {
			if reply, _ := s.asks(from, question("example.com", dns.TypeA)); text(reply) != want {
				t.Errorf("%s: %s, want %s", from, text(reply), want)
			}
		}
	})
}

// TestOwnResolversBehindTheWall: one that the lab may not reach is not asked, and the asker learns why.
func TestOwnResolversBehindTheWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{resolvers: []string{"127.0.0.53"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{
			"127.0.0.1": tells("6.6.6.6"), "127.0.0.53": tells("1.2.3.4"), "5.5.5.5": tells("5.5.5.5")}}
		f := names.NewForwarder(o, false, nil, nil)
		defer f.Close()
		s := newServer(t, f)
		loopback, other := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("5.5.5.5")
		for want, own := range map[string][]netip.Addr{"SERVFAIL": {loopback}, "NOERROR 5.5.5.5": {loopback, other}, "NOERROR 1.2.3.4": nil} {
			r := names.Records{Networks: records.Networks, Hosts: slices.Clone(records.Hosts)}
			r.Hosts[0].Resolvers = own
			s.Set(r)
			q := question("example.com", dns.TypeA)
			q.SetEdns0(1232, false)
			reply, _ := s.asks(red, q)
			if got := text(reply); got != want {
				t.Errorf("%v: %s, want %s", own, got, want)
			}
			if want == "SERVFAIL" && !strings.Contains(reply.IsEdns0().Option[0].String(), "closed to the lab") {
				t.Errorf("%v: nothing says why: %v", own, reply.IsEdns0().Option)
			}
		}
	})
}

// TestQuestionsAreBounded: one host has its share, all of them together theirs, and the lab's own names are known all the time.
func TestQuestionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{resolvers: []string{"9.9.9.9"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{"9.9.9.9": silent}}
		f := names.NewForwarder(o, false, nil, nil)
		defer f.Close()
		s := newServer(t, f)
		q, _ := question("example.com", dns.TypeA).Pack()
		for range 100 {
			s.Deliver(datagram(red, q), time.Now())
		}
		synctest.Wait()
		if asked, refused := len(o.questions()), len(s.wire); asked != 64 || refused != 36 {
			t.Errorf("%d asked, %d refused at once", asked, refused)
		}
		for i := range 250 {
			s.Deliver(datagram(netip.AddrFrom4([4]byte{11, 11, 11, byte(3 + i)}).String(), q), time.Now())
		}
		synctest.Wait()
		if asked := len(o.questions()); asked != 256 {
			t.Errorf("%d asked", asked)
		}
		for len(s.wire) > 0 {
			<-s.wire
		}
		if reply, _ := s.asks(red, question("blue", dns.TypeA)); text(reply) != "NOERROR 11.11.11.3" {
			t.Error(text(reply))
		}
		time.Sleep(5 * time.Second)
		if got := len(s.wire); got != 256 {
			t.Errorf("%d answers after all", got)
		}
		for len(s.wire) > 0 {
			<-s.wire
		}
		o.scripts["9.9.9.9"] = tells("1.2.3.4")
		if reply, _ := s.asks(red, question("example.com", dns.TypeA)); text(reply) != "NOERROR 1.2.3.4" {
			t.Errorf("places are not given back: %s", text(reply))
		}
	})
}

// TestAddressesDoNotMakeManyOfOneHost: limits go by who sends, and there is room for others.
func TestAddressesDoNotMakeManyOfOneHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{resolvers: []string{"9.9.9.9"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{"9.9.9.9": silent}}
		f := names.NewForwarder(o, false, nil, nil)
		defer f.Close()
		s := newServer(t, f)
		q, _ := question("example.com", dns.TypeA).Pack()
		ask := func(source uint64, addresses, each, want int) {
			before := len(o.questions())
			for i := range addresses * each {
				d := datagram(netip.AddrFrom4([4]byte{11, 11, 11, byte(100 + i%addresses)}).String(), q)
				d.Source = source
				s.Deliver(d, time.Now())
			}
			synctest.Wait()
			if asked := len(o.questions()) - before; asked != want {
				t.Errorf("sender %d with %d addresses: %d of %d questions were passed on, want %d", source, addresses, asked, addresses*each, want)
			}
		}
		ask(7, 5, 100, 64)
		ask(8, 5, 100, 64)
		ask(9, 1, 10, 8) // half of the room is gone, and the rest is for many
		ask(10, 1, 1, 1)
		time.Sleep(5 * time.Second)
	})
}

// TestLoopIsNoticed: the resolver asks this very server.
func TestLoopIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *server
		o := &outside{resolvers: []string{"9.9.9.9"}}
		o.scripts = map[string]func(string, *dns.Msg) *dns.Msg{"9.9.9.9": func(_ string, q *dns.Msg) *dns.Msg {
			b, _ := q.Pack()
			s.Deliver(datagram("11.11.11.3", b), time.Now())
			return nil
		}}
		f := names.NewForwarder(o, true, nil, nil)
		defer f.Close()
		s = newServer(t, f)
		for range 2 {
			q := question("example.com", dns.TypeA)
			q.SetEdns0(1232, false)
			reply, _ := s.asks(red, q)
			if text(reply) != "SERVFAIL" || !strings.Contains(reply.IsEdns0().Option[0].String(), "itself") {
				t.Error(reply)
			}
		}
		if got := o.questions(); len(got) > 0 {
			t.Errorf("asked %v", got)
		}
	})
}

func TestCloseEndsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outside{resolvers: []string{"9.9.9.9"}, scripts: map[string]func(string, *dns.Msg) *dns.Msg{"9.9.9.9": silent}}
		f := names.NewForwarder(o, false, nil, nil)
		s := newServer(t, f)
		q, _ := question("example.com", dns.TypeA).Pack()
		s.Deliver(datagram(red, q), time.Now())
		synctest.Wait()
		began := time.Now()
		f.Close()
		if took := time.Since(began); took > 0 {
			t.Errorf("took %v", took)
		}
		<-s.wire
		if reply, _ := s.asks(red, question("example.com", dns.TypeA)); reply.Rcode != dns.RcodeServerFailure {
			t.Error(text(reply))
		}
	})
}
