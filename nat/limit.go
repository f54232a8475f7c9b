package nat

import (
	"net/netip"
	"sync"
	"time"
)

// errorLimit bounds how many ICMP messages the gateway writes (RFC 1812 4.3.2.8), with the kernel's numbers: 1000 errors a
// second in all with bursts of 50 (icmp_msgs_per_sec, icmp_msgs_burst), and to one host one a second with bursts of 6
// (icmp_ratelimit). A host is a port of a switch, however many addresses it has or makes up; of those outside, who share one
// way in, each address is one, and all together get half of what there is. Too big is not limited, path MTU discovery needs
// every one. Echo replies have a limit of their own that only a flood reaches.
type errorLimit struct {
	mu      sync.Mutex
	all     bucket
	outside bucket
	echo    bucket
	hosts   map[errorKey]*bucket
}

// errorKey is whom an error goes to; the address is there of those outside only.
type errorKey struct {
	source uint64
	addr   netip.Addr
}

// maxLimited bounds the hosts that are remembered; past it those whose bucket is full again are forgotten.
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

// allow reports whether the sender of a packet may be told an error. source is the frame's.
func (l *errorLimit) allow(source uint64, sender netip.Addr, now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, inside := errorKey{source: source}, hasPort(source)
	if !inside {
		key.addr = sender
	}
	b := l.hosts[key]
	if b == nil {
		l.forget(now)
		b = &bucket{at: now}
		l.hosts[key] = b
	}
	return b.take(6, 1, now) && (inside || l.outside.take(25, 500, now)) && l.all.take(50, 1000, now)
}

func (l *errorLimit) forget(now time.Duration) {
	if l.hosts == nil || len(l.hosts) >= maxLimited {
		before := l.hosts
		l.hosts = map[errorKey]*bucket{}
		for key, b := range before {
			if b.spent-(now-b.at).Seconds() > 0 && len(l.hosts) < maxLimited/2 {
				l.hosts[key] = b
			}
		}
	}
}

func (l *errorLimit) allowEcho(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.echo.take(100_000, 100_000, now)
}

// hasPort reports whether a source is a port of a switch, behind which one host is.
func hasPort(source uint64) bool { return source&(1<<32-1) != 0 }
