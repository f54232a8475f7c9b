package world

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"uswitch/cmd/internal/plan"
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

// cgroupLimit returns the smallest memory limit of the control groups that this process is in, of version 1 or 2, and the file
// that says so; 0 without one, and where there are no control groups. A limit of a group holds for all that are in it, at any
// depth (admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst). read reads a file.
func cgroupLimit(read func(string) ([]byte, error)) (limit int64, from string) {
	groups, err := read("/proc/self/cgroup")
	if err != nil {
		return 0, ""
	}
	mounts, err := read("/proc/self/mountinfo")
	if err != nil {
		return 0, ""
	}
	for line := range strings.Lines(string(groups)) {
		// 4:memory:/a/b with version 1, 0::/a/b with version 2.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		kind, file := "cgroup2", "memory.max"
		if parts[0] != "0" || parts[1] != "" {
			kind, file = "cgroup", "memory.limit_in_bytes"
			if !hasWord(parts[1], "memory") {
				continue
			}
		}
		for _, m := range cgroupMounts(string(mounts), kind) {
			group := strings.TrimPrefix(parts[2], strings.TrimSuffix(m.root, "/"))
			for ; ; group = path.Dir(group) {
				name := path.Join(m.at, group, file)
				// The kernel says max, or with version 1 a number beyond all memory, for none.
				b, _ := read(name)
				n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
				if err == nil && n < 1<<60 && (limit == 0 || n < limit) {
					limit, from = n, name
				}
				if group == "/" || group == "." || group == "" {
					break
				}
			}
		}
	}
	return limit, from
}

// cgroupMount is where a hierarchy is mounted, and which of its groups that shows as its root.
type cgroupMount struct{ at, root string }

// cgroupMounts finds where the hierarchy that memory is limited in is mounted; one mount may hide another:
//
//	35 31 0:32 /docker/4f2e /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory    (proc_pid_mountinfo(5))
func cgroupMounts(mounts, kind string) (found []cgroupMount) {
	for line := range strings.Lines(mounts) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		what, of := strings.Fields(left), strings.Fields(right)
		if ok && len(what) >= 5 && len(of) >= 3 && of[0] == kind && (kind == "cgroup2" || hasWord(of[2], "memory")) {
			found = append(found, cgroupMount{what[4], what[3]})
		}
	}
	return found
}

// hasWord reports whether a word is in a list with commas.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// descriptors shares out the file descriptors that this process may have. So many are kept for whoever controls the lab
// (uplink.ReservedFiles); interfaces and published ports get theirs first come, first served, and flows what those leave.
type descriptors struct {
	free int // for interfaces, published ports and flows; 0: nobody counts, for nothing here has one

	mu   sync.Mutex // guards what follows
	nics int
	tell func(nics int) // those who have the rest; nil: nobody
}

// newDescriptors counts for hosts whose interfaces are real ones.
func (w *World) newDescriptors(free int) *descriptors {
	switch _, simulated := w.host.(InTurn); {
	case simulated:
		return &descriptors{}
	case free == 0:
		return &descriptors{free: uplink.FreeFiles()}
	}
	return &descriptors{free: free}
}

// check refuses a plan that has more interfaces and ports than there are descriptors, before anything is made.
func (d *descriptors) check(p *plan.Plan) error {
	nics, ports := 0, 0
	for _, h := range p.Hosts {
		nics += len(h.Interfaces)
		if p.Uplink.Kind == plan.UplinkHost {
			ports += len(h.Ports)
		}
	}
	if d.free == 0 || nics+ports <= d.free {
		return nil
	}
	return fmt.Errorf("lab %s has %d network interfaces and %d published ports, each with a file descriptor, and there are %d for them: %s",
		p.Name, nics, ports, d.free, d.remedy())
}

// remedy says what would help.
func (d *descriptors) remedy() string {
	return fmt.Sprintf("this process may have %d, some of which are kept back for its control; ulimit -n raises that", uplink.FileLimit())
}

// takeNIC counts one more interface, if there is a descriptor for it.
func (d *descriptors) takeNIC() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free > 0 && d.nics >= d.free {
		return fmt.Errorf("no file descriptor is left for another network interface: %d have one, and %s", d.nics, d.remedy())
	}
	d.count(1)
	return nil
}

func (d *descriptors) giveNIC() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count(-1)
}

// count needs the lock.
func (d *descriptors) count(n int) {
	d.nics += n
	if d.tell != nil {
		d.tell(d.nics)
	}
}

// share says who has what the interfaces leave, and must be told how many there are.
func (d *descriptors) share(tell func(nics int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free > 0 {
		d.tell = tell
		d.count(0)
	}
}
