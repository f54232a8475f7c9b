package world

import (
	"cmp"
	"math"
	"os"
	"runtime/debug"

	"uswitch/nat"
	"uswitch/nat/conntrack"
	"uswitch/nat/uplink"
	vswitch "uswitch/switch"
)

// Memory is what the control group that the process is in lets it have, and what each table may hold for that. A process that
// takes more is killed, and with it every host's network; so the tables are smaller where there is less than roomy bytes. The
// zero value is no limit, and every table as large as it is anywhere.
type Memory struct {
	Limit     int64  // bytes; 0: none
	From      string // the file that says so
	Heap      int64  // bytes that the garbage collector keeps to (GOMEMLIMIT); 0: it was not told
	Conns     int    // connections in the table
	Fragments int    // bytes of packets that wait for their fragments
	Learned   int    // addresses that one switch has learned
	Sockets   int    // of the uplink host; 0: as many as the process has descriptors for
}

const (
	roomy       = 512 << 20 // bytes; from there on no table is smaller than anywhere
	socketBytes = 128 << 10 // what a connection by the uplink host costs, with its two ends' buffers and stacks, about
	heapShare   = 0.7       // of the limit; the rest is for programs of hosts, stacks, and what the kernel counts of sockets
)

// BoundMemory finds the limit, has the garbage collector keep to its share of it unless GOMEMLIMIT says otherwise, and returns
// the bounds.
func BoundMemory() Memory {
	limit, from := cgroupLimit(os.ReadFile)
	m := within(limit, from)
	if limit > 0 {
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(int64(float64(limit) * heapShare))
		}
		if heap := debug.SetMemoryLimit(-1); heap != math.MaxInt64 {
			m.Heap = heap
		}
	}
	return m
}

// within returns the bounds for a limit, 0 meaning none.
func within(limit int64, from string) Memory {
	m := Memory{Limit: limit, From: from, Conns: conntrack.DefaultMaxConns, Fragments: nat.DefaultFragmentMemory,
		Learned: vswitch.DefaultMaxLearned}
	if limit == 0 {
		return m
	}
	if limit < roomy {
		share := func(n int) int { return int(int64(n) * limit / roomy) }
		m.Conns, m.Fragments, m.Learned = max(share(m.Conns), 1024), max(share(m.Fragments), 256<<10), max(share(m.Learned), 1024)
	}
	m.Sockets = max(int(limit/socketBytes), 64)
	return m
}

// limits are those of the uplink host.
func (m Memory) limits() (l uplink.Limits) {
	if m.Sockets > 0 {
		l.Sockets = min(m.Sockets, uplink.DefaultSockets())
		l.Dials, l.Flows = min(256, max(l.Sockets/8, 16)), min(512, max(l.Sockets/4, 32))
	}
	return l
}

// Memory returns what the process may have.
func (w *World) Memory() Memory {
	m := w.memory
	if m.Conns == 0 {
		m = within(0, "")
	}
	m.Sockets = cmp.Or(m.limits().Sockets, uplink.DefaultSockets())
	return m
}
