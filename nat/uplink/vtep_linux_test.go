package uplink_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/nat/uplink"
	"uswitch/switch/trace"
)

// vteps opens the sockets of machines at 127.0.0.1, 127.0.0.2 and so on, all at one free port.
func vteps(t *testing.T, n int) (all []*uplink.VTEP, port uint16) {
	t.Helper()
	for port = uint16(20000 + time.Now().UnixNano()%20000); ; port++ {
		for i := range n {
			v, err := openVTEP(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), port))
			if err != nil {
				break
			}
			all = append(all, v)
		}
		if len(all) == n {
			break
		}
		for _, v := range all {
			v.Close()
		}
		all = nil
	}
	t.Cleanup(func() {
		for _, v := range all {
			v.Close()
		}
	})
	return all, port
}

func openVTEP(at netip.AddrPort) (*uplink.VTEP, error) {
	return uplink.OpenVTEP(uplink.VTEPConfig{Local: at, TTL: 9, Tracer: new(trace.Tracer), Now: time.Now})
}

// TestVTEP: what one system call sends together arrives whole and in order, from the source that was foretold.
func TestVTEP(t *testing.T) {
	all, port := vteps(t, 2)
	a, b := all[0], all[1]
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port)
	var mu sync.Mutex
	var got []byte
	var last uplink.Datagrams
	more := make(chan struct{}, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Serve(func(d uplink.Datagrams) {
			mu.Lock()
			got, last = append(got, d.Data...), d
			mu.Unlock()
			more <- struct{}{}
		}, func() {})
	}()
	for _, c := range []struct {
		length, size int
		tos          uint8
	}{{100, 100, 0}, {1400 * 40, 1400, 2}, {1400*3 + 5, 1400, 1}, {9, 4, 0}} {
		want := make([]byte, c.length)
		for i := range want {
			want[i] = byte(i * 7)
		}
		mu.Lock()
		got = nil
		mu.Unlock()
		if r, _ := a.Send(want, c.size, 7, to, c.tos); r != trace.NoReason {
			t.Fatalf("%+v: %v", c, r)
		}
		for {
			<-more
			mu.Lock()
			done, same := len(got) >= c.length, bytes.Equal(got, want)
			from, ttl, tos, size := last.From, last.TTL, last.TOS, last.Size
			mu.Unlock()
			if !done {
				continue
			}
			if !same || from != a.Source(7) || ttl != 9 || tos != c.tos || size > c.size {
				t.Errorf("%+v: the same %v, from %v ttl %d tos %d, size %d", c, same, from, ttl, tos, size)
			}
			break
		}
	}
	if p := a.Source(7).Port(); p < 49152 || a.Source(7) != a.Source(23) || a.Source(7) == a.Source(8) {
		t.Errorf("sources %v %v %v", a.Source(7), a.Source(23), a.Source(8))
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	<-ended
	if r, _ := b.Send([]byte{1}, 1, 0, to, 0); r == trace.NoReason {
		t.Error("a closed one sends")
	}
	if b.Overflowed() != 0 || a.Overflowed() != 0 {
		t.Error("something was lost")
	}
}

// TestVTEPHearsOfItsPeers: nobody listens at a peer's port, and that is known.
func TestVTEPHearsOfItsPeers(t *testing.T) {
	all, port := vteps(t, 1)
	nobody := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), port)
	for range 3 {
		if r, _ := all[0].Send([]byte{1, 2, 3}, 3, 1, nobody, 0); r != trace.NoReason {
			t.Fatal(r)
		}
	}
	for len(all[0].Peers()) == 0 {
		time.Sleep(time.Millisecond)
	}
	p := all[0].Peers()[0]
	if p.Addr != nobody.Addr() || p.Errors == 0 || p.From != "127.0.0.9" || !strings.Contains(p.Last, "ort") {
		t.Errorf("got %+v", p)
	}
}

func TestVTEPTaken(t *testing.T) {
	all, port := vteps(t, 1)
	_ = all
	_, err := openVTEP(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
	if !errors.Is(err, uplink.ErrTaken) || !strings.Contains(err.Error(), "by pid") {
		t.Errorf("got %v", err)
	}
	if _, err = openVTEP(netip.MustParseAddrPort("192.0.2.77:4789")); err == nil || !strings.Contains(err.Error(), "no address of this machine") {
		t.Errorf("got %v", err)
	}
	if _, ok := uplink.ChecksumErrors(); !ok {
		t.Error("the kernel does not tell of wrong checksums")
	}
}

func TestVTEPAllocates(t *testing.T) {
	all, port := vteps(t, 2)
	go all[1].Serve(func(uplink.Datagrams) {}, func() {})
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port)
	small, super := make([]byte, 100), make([]byte, 1400*20)
	if n := testing.AllocsPerRun(100, func() {
		all[0].Send(small, 100, 7, to, 2)
		all[0].Send(super, 1400, 7, to, 0)
	}); n > 0.5 { // the reader beside it may take a buffer once
		t.Errorf("%v allocations for two calls", n)
	}
}
