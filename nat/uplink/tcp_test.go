//go:build linux

package uplink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"

	"uswitch/nat/uplink"
)

// dial connects from an inside address; port 0 is any.
func (l *lab) dial(from netip.Addr, port int, to string, wait time.Duration) (*gonet.TCPConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	at := netip.MustParseAddrPort(to)
	return gonet.DialTCPWithBind(ctx, l.inside, full(from, port), full(at.Addr(), int(at.Port())), ipv4.ProtocolNumber)
}

func (l *lab) mustDial(t *testing.T, from netip.Addr, to string) *gonet.TCPConn {
	t.Helper()
	c, err := l.dial(from, 0, to, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func randomBytes(n int) []byte {
	r := rand.NewChaCha8([32]byte{7})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

type halfCloser interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// echo sends everything back and closes when the other side has.
func echo(c *net.TCPConn) {
	defer c.Close()
	_, _ = io.Copy(c, c)
}

func TestTCPCarriesBothWaysByteForByte(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	serve(t, wanPID, server+":7", echo)
	c := l.mustDial(t, red, server+":7")
	exchange(t, c, randomBytes(10<<20))
}

// exchange sends data through an echo, closes one direction, and compares what comes until the other is closed.
func exchange(t *testing.T, c halfCloser, data []byte) {
	t.Helper()
	go func() {
		_, _ = c.Write(data)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("got %d bytes back of %d, or different ones", len(got), len(data))
	}
}

func TestTCPHalfCloseByTheOutside(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	got := make(chan []byte, 1)
	serve(t, wanPID, server+":8", func(c *net.TCPConn) {
		defer c.Close()
		_, _ = c.Write([]byte("all I have"))
		_ = c.CloseWrite()
		b, _ := io.ReadAll(c)
		got <- b
	})
	c := l.mustDial(t, red, server+":8")
	if b, err := io.ReadAll(c); err != nil || string(b) != "all I have" {
		t.Fatalf("read %q, %v", b, err)
	}
	data := randomBytes(1 << 20)
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b := <-got; !bytes.Equal(b, data) {
		t.Fatalf("the outside read %d bytes of %d", len(b), len(data))
	}
}

func TestTCPResetByTheOutside(t *testing.T) {
	for name, afterFIN := range map[string]bool{"at once": false, "after its FIN": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, uplink.HostConfig{})
			serve(t, wanPID, server+":9", func(c *net.TCPConn) {
				_, _ = io.ReadFull(c, make([]byte, 1))
				if afterFIN {
					_ = c.CloseWrite()
					_, _ = io.ReadFull(c, make([]byte, 1))
				}
				_ = c.SetLinger(0)
				c.Close()
			})
			c := l.mustDial(t, red, server+":9")
			_, _ = c.Write([]byte("x"))
			_, err := c.Read(make([]byte, 1))
			if !afterFIN {
				if err == nil || !strings.Contains(err.Error(), "reset") {
					t.Errorf("read: %v, want a reset", err)
				}
				return
			}
			if err != io.EOF {
				t.Fatalf("read: %v, want the end", err)
			}
			_, _ = c.Write([]byte("y"))
			eventually(t, "the reset after FIN did not reach the inside", func() bool {
				_, err := c.Write([]byte("z"))
				return err != nil
			})
		})
	}
}

func TestTCPResetByTheInside(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	got := make(chan error, 1)
	serve(t, wanPID, server+":11", func(c *net.TCPConn) {
		defer c.Close()
		for b := make([]byte, 1); ; {
			if _, err := c.Read(b); err != nil {
				got <- err
				return
			}
		}
	})
	c, err := l.dial(red, 0, server+":11", patience)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("x"))
	abort(c)
	if err := <-got; err == io.EOF || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the outside read: %v, want a reset", err)
	}
}

// TestTCPResetByTheInsideAfterAFIN: whoever has closed its direction may still reset, also when nothing more is to be copied; and
// so may the other one.
func TestTCPResetByTheInsideAfterAFIN(t *testing.T) {
	for name, own := range map[string]bool{"its own": true, "the other's": false} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, uplink.HostConfig{})
			ended, ready := make(chan error, 1), make(chan struct{})
			serve(t, wanPID, server+":14", func(c *net.TCPConn) {
				defer c.Close()
				if own {
					_, _ = io.ReadAll(c) // its FIN
				} else {
					_ = c.CloseWrite()
					_, _ = io.ReadFull(c, make([]byte, 1))
				}
				close(ready)
				for {
					if _, err := c.Write([]byte("x")); own && err != nil {
						ended <- err
						return
					}
					if _, err := c.Read(make([]byte, 1)); !own && err != nil {
						ended <- err
						return
					}
					time.Sleep(time.Millisecond)
				}
			})
			c, err := l.dial(red, 0, server+":14", patience)
			if err != nil {
				t.Fatal(err)
			}
			if own {
				_ = c.CloseWrite()
			} else {
				_, _ = io.ReadAll(c)
				_, _ = c.Write([]byte("y"))
			}
			<-ready
			abort(c)
			select {
			case err := <-ended:
				if err == io.EOF {
					t.Error("the outside saw an end in order, want a reset")
				}
			case <-time.After(patience):
				t.Error("the outside heard of no reset")
			}
		})
	}
}

func TestTCPRefusedAndUnreachable(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	for _, test := range []struct{ name, to, want string }{
		{"refused", server + ":81", "refused"},
		{"unreachable", unreachable + ":80", "no route"},
	} {
		_, err := l.dial(red, 0, test.to, patience) // a SYN that meets silence is repeated
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// A network that swallows everything is silence: no handshake, no error, and nothing that stays.
func TestTCPBlackHole(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	c, err := l.dial(red, 0, blackhole+":80", 300*time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v, want silence", c, err)
	}
}

func TestTCPManyDialsToABlackHoleDisturbNobody(t *testing.T) {
	l := newLab(t, uplink.HostConfig{Limits: uplink.Limits{Dials: 64}})
	serve(t, wanPID, server+":12", echo)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 200 {
		go func() {
			_, _ = gonet.DialTCPWithBind(ctx, l.inside, full(red, 0), full(netip.MustParseAddr(blackhole), 80), ipv4.ProtocolNumber)
		}()
	}
	eventually(t, "the dials did not begin", func() bool { return len(l.gateway.Conns(l.now())) >= 200 })
	for _, from := range []netip.Addr{red, blue} {
		exchange(t, l.mustDial(t, from, server+":12"), []byte("hello"))
	}
	eventually(t, "more sockets stay open than 64 dials need", func() bool { return openSockets() <= 64+20 })
}

func TestTCPPortIsTheSameForAllDestinations(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	from := make(chan string, 2)
	say := func(c *net.TCPConn) {
		from <- c.RemoteAddr().String()
		echo(c)
	}
	serve(t, wanPID, server+":13", say)
	serve(t, wanPID, other+":13", say)
	for _, to := range []string{server, other} {
		c := l.dialReusing(t, red, 5555, to+":13")
		exchange(t, c, []byte("hello"))
	}
	if a, b := <-from, <-from; a != b || !strings.HasPrefix(a, host+":") {
		t.Errorf("seen from %s and %s, want one port of %s", a, b, host)
	}
}
