package nat

import (
	"net/netip"
	"sync"
	"time"
)

// errorLimit bounds how many ICMP messages the gateway writes (RFC 1812 4.3.2.8), with the kernel's numbers: 1000 errors a
// second in all with bursts of 50 (icmp_msgs_per_sec, icmp_msgs_burst), and to one address one a second with bursts of 6
// (icmp_ratelimit). Too big is not limited, path MTU discovery needs every one. Echo replies have a limit of their own
// that only a flood reaches.
type errorLimit struct {
	mu    sync.Mutex
	all   bucket
	echo  bucket
	hosts map[netip.Addr]*bucket
}

// maxLimited bounds the addresses that are remembered; past it those whose bucket is full again are forgotten.
const maxLimited = 4096

// bucket holds tokens, each a permission; it is full at first.
type bucket struct {
	spent float64 // tokens that are missing
	at    time.Duration
}

// take takes a token out of a bucket of that size, into which perSecond drip. A clock that goes back takes nothing out.
func (b *bucket) take(size, perSecond float64, now time.Duration) bool {
	b.spent = max(0, b.spent-max(0, now-b.at).Seconds()*perSecond)
	b.at = now
	if b.spent+1 > size {
		return false
	}
	b.spent++
	return true
}

func (l *errorLimit) allow(to netip.Addr, now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.hosts[to]
	if b == nil {
		l.forget(now)
		b = &bucket{at: now}
		l.hosts[to] = b
	}
	return b.take(6, 1, now) && l.all.take(50, 1000, now)
}

func (l *errorLimit) forget(now time.Duration) {
	if l.hosts == nil || len(l.hosts) >= maxLimited {
		before := l.hosts
		l.hosts = map[netip.Addr]*bucket{}
		for a, b := range before {
			if b.spent-(now-b.at).Seconds() > 0 && len(l.hosts) < maxLimited/2 {
				l.hosts[a] = b
			}
		}
	}
}

func (l *errorLimit) allowEcho(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.echo.take(100_000, 100_000, now)
}
