package names

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// loops knows of resolvers that ask this very server what they are asked: the machine's resolver may run in a host of the
// lab and have the gateway as its own resolver. Each is asked for a name that nobody else ever asks for, as dnsmasq's
// dns-loop-detect does; the question coming back is the proof. A nil loops knows nothing.
type loops struct {
	ask func(to netip.AddrPort, q *dns.Msg)

	mu     sync.Mutex // guards what follows
	probes map[netip.AddrPort]*probe
}

// probe is what is known of one resolver.
type probe struct {
	name    string        // nobody else asks for
	settled chan struct{} // closed when the resolver has answered, or will not
	back    bool          // the question came back
}

// probeSuffix ends the names that are asked for: test is nobody's (RFC 6761 6.2).
const probeSuffix = ".loop.uswitch.test."

// Bounds of probes: the resolvers that are remembered, past which all are forgotten and asked again, and how long the first
// question for a resolver waits for its probe.
const (
	maxProbes = 64
	probeWait = 300 * time.Millisecond
)

func newLoops(ask func(netip.AddrPort, *dns.Msg)) *loops {
	return &loops{ask: ask, probes: map[netip.AddrPort]*probe{}}
}

// without leaves out the resolvers that ask in circles. It waits a moment for what those say that are new.
func (l *loops) without(all []netip.AddrPort) (sound []netip.AddrPort) {
	if l == nil {
		return all
	}
	probes := l.of(all)
	late := time.NewTimer(probeWait)
	defer late.Stop()
wait:
	for _, p := range probes {
		select {
		case <-p.settled:
		case <-late.C:
			break wait
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, p := range probes {
		if !p.back {
			sound = append(sound, all[i])
		}
	}
	return sound
}

// of returns the probes of resolvers, and begins those that are missing.
func (l *loops) of(all []netip.AddrPort) (probes []*probe) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, to := range all {
		p := l.probes[to]
		if p == nil {
			p = l.begin(to)
		}
		probes = append(probes, p)
	}
	return probes
}

// begin tries out a resolver. It needs the lock.
func (l *loops) begin(to netip.AddrPort) *probe {
	if len(l.probes) >= maxProbes {
		clear(l.probes)
	}
	p := &probe{name: fmt.Sprintf("%016x%s", rand.Uint64(), probeSuffix), settled: make(chan struct{})}
	l.probes[to] = p
	go func() {
		defer close(p.settled)
		l.ask(to, new(dns.Msg).SetQuestion(p.name, dns.TypeTXT))
	}()
	return p
}

// heard reports whether a question is one of ours that came back, and remembers that.
func (l *loops) heard(q *dns.Msg) bool {
	if l == nil || len(q.Question) != 1 {
		return false
	}
	name := strings.ToLower(q.Question[0].Name)
	if !strings.HasSuffix(name, probeSuffix) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.probes {
		if p.name == name {
			p.back = true
			return true
		}
	}
	return false
}
