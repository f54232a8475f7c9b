//go:build linux

package uplink_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uswitch/nat/uplink"
)

// pairOf is a socket as a mapping has one, with two senders that know where it is.
func pairOf(t testing.TB) (s uplink.Socket, at netip.AddrPort, senders [2]*net.UDPConn) {
	t.Helper()
	s, port, err := uplink.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	at = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	for i := range senders {
		if senders[i], err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { senders[i].Close() })
	}
	return s, at, senders
}

// Datagrams of several senders come with one system call, each with its own sender, and an empty one is one too.
func TestBatch(t *testing.T) {
	s, _, senders := pairOf(t)
	var want []uplink.Arrival
	for i, payload := range []string{"one", "", strings.Repeat("three", 1000), "four"} {
		c := senders[i%2]
		if _, err := c.Write([]byte(payload)); err != nil {
			t.Fatal(err)
		}
		from := c.LocalAddr().(*net.UDPAddr).AddrPort()
		want = append(want, uplink.Arrival{Payload: payload, From: from, TTL: 64})
	}
	in := uplink.NewBatch()
	defer in.Release()
	var got []uplink.Arrival
	read := func(most int) (n int, err error) {
		_ = s.Control(func(fd int) error {
			n, err = in.Read(fd, most)
			return nil
		})
		for i := range n {
			got = append(got, in.Arrival(i))
		}
		return n, err
	}
	if n, err := read(1); n != 1 || err != nil || in.Buffers() != 1 {
		t.Errorf("of one: %d, %v, with %d buffers", n, err, in.Buffers())
	}
	if n, err := read(8); n != 3 || err != nil || in.Buffers() != 8 {
		t.Errorf("of three: %d, %v, with %d buffers", n, err, in.Buffers())
	}
	if n, err := read(8); n != 0 || err != unix.EAGAIN {
		t.Errorf("of none: %d, %v", n, err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// When the third of many is handed on, all are there: they came with one system call. A single one takes nothing along.
func TestManyAreReadAtOnce(t *testing.T) {
	const count = 12
	s, _, senders := pairOf(t)
	for i := range count {
		if _, err := fmt.Fprint(senders[i%2], i); err != nil {
			t.Fatal(err)
		}
	}
	var got, waiting []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ReadAll(func(payload []byte, _ netip.AddrPort) {
			got = append(got, string(payload))
			waiting = append(waiting, fmt.Sprint(s.Waiting()))
			if len(got) == count {
				go s.Close()
			}
		})
	}()
	<-done
	if want := strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11"); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if want := strings.Fields("true true false false false false false false false false false false"); !slices.Equal(waiting, want) {
		t.Errorf("something was waiting still: %v", waiting)
	}
}

// TestBatchAllocates nothing, once it has its buffers.
func TestBatchAllocates(t *testing.T) {
	s, _, senders := pairOf(t)
	in := uplink.NewBatch()
	defer in.Release()
	payload := []byte("payload")
	_ = s.Control(func(fd int) error {
		allocations := testing.AllocsPerRun(100, func() {
			for range 3 {
				_, _ = senders[0].Write(payload)
			}
			if n, err := in.Read(fd, 8); n != 3 || err != nil || !in.From(2).IsValid() {
				t.Error(n, err)
			}
		})
		if allocations != 0 {
			t.Errorf("%v allocations", allocations)
		}
		return nil
	})
}

// BenchmarkReceive: what a datagram costs that is read alone, and one among many.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{64, 1400} {
		for _, most := range []int{1, 4, 8, 16} {
			b.Run(fmt.Sprintf("%d bytes, %d at once", size, most), func(b *testing.B) {
				s, _, senders := pairOf(b)
				in := uplink.NewBatch()
				defer in.Release()
				payload := make([]byte, size)
				_ = s.Control(func(fd int) error {
					for b.Loop() {
						b.StopTimer()
						for range 32 {
							_, _ = senders[0].Write(payload)
						}
						b.StartTimer()
						for left := 32; left > 0; {
							n, err := in.Read(fd, most)
							if err != nil {
								b.Fatal(err)
							}
							left -= n
						}
					}
					return nil
				})
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(32*b.N), "ns/datagram")
			})
		}
	}
}
