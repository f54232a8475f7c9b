package names

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Upstream is the way to those who know the rest of the world's names.
type Upstream interface {
	// Resolvers returns whom to ask now, in that order; the error says why there is nobody.
	Resolvers() ([]netip.AddrPort, error)
	// Dial makes a connection to one of them, or to a resolver that a host has of its own; network is udp or tcp.
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	// Permits says why a resolver that a host has of its own may not be asked; nil: it may. The lab has named it, and what is
	// this machine's alone must not be reached by a name.
	Permits(own netip.Addr) error
}

// Bounds of what is asked outside. All attempts together end before the five seconds that a resolver waits (resolv.conf(5)).
const (
	maxOpen        = 256 // questions that wait for an answer
	maxOpenPerHost = 64  // of one host, as long as half of them are left; then
	maxOpenScarce  = 8
	attempts       = 3
	patience       = 1400 * time.Millisecond // for one attempt
	patienceAll    = 4500 * time.Millisecond
)

// Forwarder asks others. Its methods may be called from many goroutines.
type Forwarder struct {
	upstream Upstream
	clock    Clock
	loops    *loops // nil: nobody listens for what comes back
	ctx      context.Context
	stop     context.CancelFunc

	mu      sync.Mutex // guards what follows
	closed  bool
	open    int
	random  *rand.Rand // of the numbers of questions; nil: nobody can tell them
	perHost map[host]int
	running sync.WaitGroup
}

// NewForwarder returns a Forwarder that asks by an Upstream. With probe, it finds out about resolvers that ask this very
// server, in circles, by asking each for a name that nobody has. c is what it waits by, this machine's clock if it is nil.
func NewForwarder(u Upstream, probe bool, c Clock, random *rand.Rand) *Forwarder {
	if c == nil {
		c = wall{}
	}
	f := &Forwarder{upstream: u, clock: c, random: random, perHost: map[host]int{}}
	f.ctx, f.stop = context.WithCancel(context.Background())
	if probe {
		f.loops = newLoops(func(to netip.AddrPort, q *dns.Msg) { _, _ = f.ask(f.ctx, "udp", to, q) })
	}
	return f
}

// Close ends what is under way and returns when nobody waits any more. Questions are refused from then on.
func (f *Forwarder) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.stop()
	f.running.Wait()
}

// begin takes a question on, or says why not. wait must be called, once.
func (f *Forwarder) begin(who host, resolvers []netip.Addr, network string, q *dns.Msg) (reply *dns.Msg, wait func() *dns.Msg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	share := maxOpenPerHost
	if f.open >= maxOpen/2 {
		share = maxOpenScarce
	}
	if f.closed || f.open >= maxOpen || f.perHost[who] >= share {
		return failure(q, fmt.Errorf("%d questions are waiting for answers already", f.open)), nil
	}
	f.open++
	f.perHost[who]++
	f.running.Add(1)
	return nil, func() *dns.Msg {
		defer f.end(who)
		return f.forward(resolvers, network, q)
	}
}

// end gives a question's place back.
func (f *Forwarder) end(who host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
	if f.perHost[who]--; f.perHost[who] == 0 {
		delete(f.perHost, who)
	}
	f.running.Done()
}

// forward asks one resolver after the other until somebody knows, and tells what was last heard if nobody does.
func (f *Forwarder) forward(own []netip.Addr, network string, q *dns.Msg) *dns.Msg {
	resolvers, err := f.resolvers(own)
	if err != nil {
		return failure(q, err)
	}
	ctx, cancel := f.clock.WithTimeout(f.ctx, patienceAll, context.DeadlineExceeded)
	defer cancel()
	var last *dns.Msg
	for i := range attempts {
		if i >= len(resolvers) && last != nil {
			break // who said no will say it again
		}
		to := resolvers[i%len(resolvers)]
		var reply *dns.Msg
		if reply, err = f.exchange(ctx, network, to, q); err != nil {
			err = fmt.Errorf("resolver %v: %w", to.Addr(), err)
			continue
		}
		reply.Id = q.Id
		if reply.Rcode != dns.RcodeServerFailure && reply.Rcode != dns.RcodeRefused {
			return reply
		}
		last = reply
	}
	if last != nil {
		return last
	}
	return failure(q, err)
}

// resolvers returns whom to ask: the asker's own resolvers or, if it has none, everybody's; but none that would ask back.
func (f *Forwarder) resolvers(own []netip.Addr) (all []netip.AddrPort, err error) {
	for _, a := range own {
		if err = f.upstream.Permits(a); err == nil {
			all = append(all, netip.AddrPortFrom(a, Port))
		}
	}
	if len(all) == 0 && err != nil {
		return nil, err
	}
	if own == nil {
		if all, err = f.upstream.Resolvers(); err != nil {
			return nil, err
		}
	}
	all = f.loops.without(all)
	if len(all) == 0 {
		return nil, errors.New("every resolver asks this name server itself")
	}
	return all, nil
}

// failure is the reply to a question that nobody could be asked, or that nobody has answered.
func failure(q *dns.Msg, why error) *dns.Msg {
	return because(status(q, dns.RcodeServerFailure), dns.ExtendedErrorCodeNetworkError, why.Error())
}
