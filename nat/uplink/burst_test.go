//go:build linux

package uplink_test

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/nat/uplink"
)

// TestSendPieces sends more than one system call takes, with a last one that is shorter. Nothing of it is lost to an error
// that an earlier datagram has earned.
func TestSendPieces(t *testing.T) {
	s, _, err := uplink.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	_ = to.SetReadDeadline(time.Now().Add(patience))
	at := to.LocalAddr().(*net.UDPAddr).AddrPort()
	closed, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.LocalAddr().(*net.UDPAddr).AddrPort()
	closed.Close()
	for _, total := range []int{1, 10, 11, 640, 641, 1995} {
		_ = s.SendPieces([]byte("?"), 10, nobody, false) // refused, which the next call is told
		sent := randomBytes(total)
		if err := s.SendPieces(sent, 10, at, false); err != nil {
			t.Fatalf("%d bytes: %v", total, err)
		}
		for rest := sent; len(rest) > 0; rest = rest[min(10, len(rest)):] {
			b := make([]byte, 20)
			if n, err := to.Read(b); err != nil || !bytes.Equal(b[:n], rest[:min(10, len(rest))]) {
				t.Fatalf("%d bytes: got % x, %v, want the beginning of % x", total, b[:n], err, rest)
			}
		}
	}
}

// Of pieces that may not be fragmented, those that are too large are lost, which is no error, and a last one that fits
// arrives.
func TestSendPiecesTooLarge(t *testing.T) {
	outside(t)
	to := datagrams(t, wanPID, server+":53")
	_ = to.SetReadDeadline(time.Now().Add(patience))
	s, _, err := uplink.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SendPieces(append(make([]byte, 6000), "last"...), 2000, to.LocalAddr().(*net.UDPAddr).AddrPort(), true); err != nil {
		t.Error(err)
	}
	b := make([]byte, 4096)
	if n, err := to.Read(b); err != nil || string(b[:n]) != "last" {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// BenchmarkSendPieces compares one system call for many datagrams with one for each.
func BenchmarkSendPieces(b *testing.B) {
	for _, size := range []int{64, 1400} {
		for _, kind := range []string{"one by one", "together"} {
			b.Run(fmt.Sprintf("%d bytes, %s", size, kind), func(b *testing.B) {
				s, _, err := uplink.NewSocket()
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // which soon drops what comes
				if err != nil {
					b.Fatal(err)
				}
				defer to.Close()
				_ = to.SetReadBuffer(1 << 12)
				at, payload := to.LocalAddr().(*net.UDPAddr).AddrPort(), make([]byte, 40*size)
				for b.Loop() {
					if kind == "together" {
						err = s.SendPieces(payload, size, at, false)
					} else {
						err = s.SendOneByOne(payload, size, at)
					}
					if err != nil && err != unix.EAGAIN {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(40*b.N), "ns/datagram")
			})
		}
	}
}
