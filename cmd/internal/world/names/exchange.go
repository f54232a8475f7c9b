package names

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// errOther says that somebody answered what nobody had asked.
var errOther = errors.New("the answer is about another question")

// exchange asks one resolver as it was asked itself: over UDP, where an answer may come cut short, or so that it comes whole.
func (f *Forwarder) exchange(ctx context.Context, network string, to netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	if network == "udp" {
		return f.ask(ctx, "udp", to, q)
	}
	// Most answers fit a datagram, and some resolvers know nothing else.
	roomy := q.Copy()
	if roomy.IsEdns0() == nil {
		roomy.SetEdns0(maxUDP, false)
	}
	reply, err := f.ask(ctx, "udp", to, roomy)
	if err == nil && reply.Truncated {
		return f.ask(ctx, "tcp", to, q)
	}
	if err == nil && q.IsEdns0() == nil {
		reply.Extra = slices.DeleteFunc(reply.Extra, func(r dns.RR) bool { return r.Header().Rrtype == dns.TypeOPT })
	}
	return reply, err
}

// ask asks one resolver and waits, but not for long.
func (f *Forwarder) ask(ctx context.Context, network string, to netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := f.clock.WithTimeout(ctx, patience, context.DeadlineExceeded)
	defer cancel()
	c, err := f.upstream.Dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })() // which ends a read that waits
	conn := &dns.Conn{Conn: c, UDPSize: maxUDP}
	sent := f.outward(q)
	if err := conn.WriteMsg(sent); err != nil {
		return nil, err
	}
	for {
		reply, err := conn.ReadMsg()
		switch {
		case err != nil:
			return nil, err
		case reply.Id != sent.Id || !reply.Response: // an answer to somebody else's question, or a guess
		case !sameQuestion(sent, reply):
			return nil, errOther
		default:
			return reply, nil
		}
	}
}

// outward returns a question as it is passed on: under a number that cannot be guessed, and with no more room for the answer
// than we have.
func (f *Forwarder) outward(q *dns.Msg) *dns.Msg {
	out := q.Copy()
	out.Id = dns.Id()
	if f.random != nil {
		f.mu.Lock()
		out.Id = uint16(f.random.Uint32())
		f.mu.Unlock()
	}
	if opt := out.IsEdns0(); opt != nil {
		opt.SetUDPSize(uint16(room(q)))
	}
	return out
}

// sameQuestion reports whether an answer is about what was asked. Who could not read the question may leave it out.
func sameQuestion(q, reply *dns.Msg) bool {
	if len(reply.Question) == 0 {
		return reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError
	}
	a, b := q.Question[0], reply.Question[0]
	return len(reply.Question) == 1 && strings.EqualFold(a.Name, b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
}
