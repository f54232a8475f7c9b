package conntrack_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/switch/frame"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// tuple is the i-th flow of a source, of UDP.
func tuple(source, i int) frame.Tuple {
	t := frame.Tuple{DstIP: frame.AddrOf(netip.AddrFrom4([4]byte{8, 8, 8, 8})), SrcPort: uint16(1024 + i%60000), DstPort: 53, Proto: frame.ProtoUDP}
	t.SrcIP = frame.AddrOf(netip.IPv4Unspecified()).Add(uint64(source)<<8 | uint64(i/60000))
	return t
}

// begin enters a connection; with assured it is answered and asked again.
func begin(t *conntrack.Table, source, i int, assured bool, now time.Time) (*conntrack.Conn, conntrack.Refusal) {
	tu := tuple(source, i)
	f := t.Track(tu, conntrack.Source(source), conntrack.Segment{Length: 28}, now)
	if !f.First {
		return f.Conn, 0
	}
	if _, refusal := t.Confirm(f.Conn, conntrack.Segment{}, now); refusal != 0 {
		t.Abandon(f.Conn)
		return nil, refusal
	}
	if assured {
		t.Track(tu.Reply(), 99, conntrack.Segment{}, now)
		t.Track(tu, conntrack.Source(source), conntrack.Segment{}, now)
	}
	return f.Conn, 0
}

// TestAgainstAModel lets sources come and go at random and compares with what a scan of everything says.
func TestAgainstAModel(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		table, now := conntrack.NewTable(64, epoch), epoch
		for range 2000 {
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			begin(table, 1+r.IntN(5)*r.IntN(2), r.IntN(200), r.IntN(2) == 0, now)
			if r.IntN(10) == 0 {
				table.Sweep(now)
			}
			if r.IntN(200) == 0 {
				table.Flush(func(conntrack.Row) bool { return r.IntN(2) == 0 }, now)
			}
			rows, stats := table.List(now), table.Stats()
			waiting := 0
			for _, row := range rows {
				if !row.Assured {
					waiting++
				}
			}
			if stats.Conns > 64 || len(rows) > stats.Conns || stats.Waiting > 32 || waiting > stats.Waiting {
				t.Fatalf("seed %d: %d rows, %d waiting, and it says %+v", seed, len(rows), waiting, stats)
			}
			if r.IntN(100) == 0 && !slices.Equal(table.Fork(func(b any) any { return b }).List(now), rows) {
				t.Fatalf("seed %d: a fork differs", seed)
			}
		}
		now = now.Add(time.Hour)
		if next := table.Sweep(now); !next.IsZero() || table.Stats().Conns != 0 || table.Stats().Sources != 0 || table.Stats().Waiting != 0 {
			t.Errorf("seed %d: an hour later %+v is left, and the next sweep at %v", seed, table.Stats(), next)
		}
	}
}

func TestSweepsWhatIsDue(t *testing.T) {
	table := conntrack.NewTable(0, epoch)
	timeouts := conntrack.DefaultTimeouts()
	timeouts.UDP = 1000 * time.Second // more than the wheel holds
	table.SetTimeouts(timeouts)
	begin(table, 1, 1, false, epoch)
	begin(table, 1, 2, false, epoch.Add(700*time.Millisecond))
	for second := 1; second <= 1002; second++ {
		at := epoch.Add(time.Duration(second) * time.Second)
		next := table.Sweep(at)
		want := 2
		if second == 500 {
			begin(table, 1, 2, false, at) // more time for the second
		}
		if second >= 1000 {
			want = 1
		}
		if n := table.Len(); n != want || !next.Equal(at.Add(conntrack.SweepInterval)) {
			t.Fatalf("%d connections after %d seconds, want %d; next %v", n, second, want, next)
		}
	}
	if next := table.Sweep(epoch.Add(1500 * time.Second)); !next.IsZero() || table.Len() != 0 {
		t.Errorf("%d connections at the end, next sweep %v", table.Len(), next)
	}
}

func TestCountsWithoutAScan(t *testing.T) {
	table := conntrack.NewTable(8, epoch)
	key := conntrack.CountKey{List: 1, Addr: frame.AddrOf(netip.AddrFrom16([16]byte{11, 11, 11}))}
	var conns []*conntrack.Conn
	for i := range 3 {
		f := table.Track(tuple(1, i), 1, conntrack.Segment{}, epoch)
		for range 2 { // a rule may be asked more than once
			if n := table.Count(f.Conn, key); n != i+1 {
				t.Errorf("connection %d counts as %d", i+1, n)
			}
		}
		table.Confirm(f.Conn, conntrack.Segment{}, epoch)
		if n := table.Count(f.Conn, key); n != i+1 {
			t.Errorf("connection %d in the table counts as %d", i+1, n)
		}
		conns = append(conns, f.Conn)
	}
	f := table.Track(tuple(1, 9), 1, conntrack.Segment{}, epoch)
	if n := table.Count(f.Conn, key); n != 4 {
		t.Errorf("the fourth counts as %d", n)
	}
	table.Abandon(f.Conn) // it was rejected
	if n := table.Count(conns[0], conntrack.CountKey{List: 2}); n != 1 {
		t.Errorf("in another list the first counts as %d", n)
	}
	table.Drop(func(r conntrack.Row) bool { return r.Original == tuple(1, 1) }, epoch)
	if n := table.Count(conns[0], key); n != 2 {
		t.Errorf("%d are counted after one ended, want 2", n)
	}
	if n := table.Fork(func(b any) any { return b }).Count(conns[0], key); n != 2 {
		t.Errorf("a fork counts %d, want 2", n)
	}
}

func TestPortsAreSharedWhenNoneIsLeft(t *testing.T) {
	table := conntrack.NewTable(0, epoch)
	ports := conntrack.PortRange{Min: 5000, Max: 5001}
	translate := func(source int, dst byte) string {
		tu := tuple(source, source)
		tu.DstIP = frame.AddrOf(netip.AddrFrom4([4]byte{8, 8, 8, dst}))
		f := table.Track(tu, conntrack.Source(source), conntrack.Segment{}, epoch)
		if !table.Masquerade(f.Conn, frame.AddrOf(netip.AddrFrom4([4]byte{192, 0, 2, 2})), ports, nil) {
			table.Abandon(f.Conn)
			return "no port"
		}
		table.Confirm(f.Conn, conntrack.Segment{}, epoch)
		return fmt.Sprint(f.Conn.Tuples[conntrack.Reply].DstPort)
	}
	for i, c := range []struct {
		source int
		dst    byte
		want   string
	}{{1, 1, "5000"}, {2, 1, "5001"}, {1, 2, "5000"}, {3, 1, "no port"}, {3, 9, "5000"}, {3, 10, "5000"}} {
		if got := translate(c.source, c.dst); got != c.want {
			t.Errorf("%d: source %d to %d leaves from %s, want %s", i+1, c.source, c.dst, got, c.want)
		}
	}
	outside := frame.Tuple{SrcIP: frame.AddrOf(netip.AddrFrom4([4]byte{9, 9, 9, 9})), DstIP: frame.AddrOf(netip.AddrFrom4([4]byte{192, 0, 2, 2})), SrcPort: 1, DstPort: 5000, Proto: frame.ProtoUDP}
	if e, ok := table.Mapped(outside); !ok || e.Addr != tuple(1, 1).SrcIP {
		t.Errorf("port 5000 belongs to %v, want the first that had it", e)
	}
}

// TestPortsInARow: hosts that count their ports up from the same number fill ports in a row. Whoever comes finds one of the
// many that are free, whichever number its connection bears.
func TestPortsInARow(t *testing.T) {
	table := conntrack.NewTable(0, epoch)
	addr := frame.AddrOf(netip.AddrFrom4([4]byte{192, 0, 2, 2}))
	for i := range 20000 {
		tu := tuple(1+i%3, i)
		tu.SrcPort = 32768 + uint16(i/3)%600
		f := table.Track(tu, conntrack.Source(i%3), conntrack.Segment{}, epoch)
		if !f.First {
			continue
		}
		if !table.Masquerade(f.Conn, addr, conntrack.PortRange{}, nil) {
			t.Fatalf("connection %d finds no port, and 60,000 are free", i+1)
		}
		table.Confirm(f.Conn, conntrack.Segment{}, epoch)
		if i >= 1800 { // the first 1,800 stay: 600 ports in a row, and what they took instead
			table.Drop(func(r conntrack.Row) bool { return r.Original == tu }, epoch)
		}
	}
}

// BenchmarkFullTable is one new connection in a table in which each source has one: what it costs when somebody has to go.
func BenchmarkFullTable(b *testing.B) {
	for _, assured := range []bool{false, true} {
		b.Run(fmt.Sprintf("assured=%v", assured), func(b *testing.B) {
			table := conntrack.NewTable(0, epoch)
			for i := range conntrack.DefaultMaxConns {
				begin(table, i, i, assured, epoch)
			}
			i, worst := conntrack.DefaultMaxConns, time.Duration(0)
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				begin(table, i, i, assured, epoch)
				worst = max(worst, time.Since(start))
				i++
			}
			b.ReportMetric(float64(worst.Microseconds()), "worst-us")
		})
	}
}

// BenchmarkLockShare lives through seconds with 30,000 connections, each of which has a packet every five: what share of that
// time, in percent, the table's lock is held for the packets, and what share for what is due.
func BenchmarkLockShare(b *testing.B) {
	const conns, each = 30000, 5
	table, now := conntrack.NewTable(0, epoch), epoch
	for i := range conns {
		begin(table, i%100, i, true, epoch)
	}
	var packets, due time.Duration
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		start := time.Now()
		for i := int(now.Unix()) % each; i < conns; i += each {
			table.Track(tuple(i%100, i), conntrack.Source(i%100), conntrack.Segment{Length: 28}, now)
		}
		between := time.Now()
		table.Sweep(now)
		packets, due = packets+between.Sub(start), due+time.Since(between)
	}
	seconds := now.Sub(epoch).Seconds()
	b.ReportMetric(packets.Seconds()/seconds*100, "%-packets")
	b.ReportMetric(due.Seconds()/seconds*100, "%-due")
	if table.Len() != conns {
		b.Errorf("%d connections are left", table.Len())
	}
}
