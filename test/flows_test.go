package test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Ten mebibytes through every kind of flow, each way, half-closed by either side first, compared byte for byte; and how a
// flow ends when it does not end in order (N16, F39, F40).

const tenMebibytes = 10 << 20

// cargo is what one side sends, different for each seed.
var cargo = [2][]byte{randomBytes(1), randomBytes(2)}

func randomBytes(seed uint64) []byte {
	b := make([]byte, tenMebibytes)
	c := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = c.Read(b) // it never fails
	return b
}

// flows are the kinds of flows: who connects, to what, and who serves it.
var flows = []struct{ name, from, to, server, at string }{
	{"out", "RED", siteIP + ":7000", "NET", ":7000"},
	{"published", "NET", hostIP + ":8080", "BLUE", ":80"},
	{"published, from the host's loopback", "HOST", "127.0.0.1:8080", "BLUE", ":80"},
	{"hairpin", "RED", hostIP + ":8080", "BLUE", ":80"},
	{"hairpin to oneself", "BLUE", hostIP + ":8080", "BLUE", ":80"},
	{"hairpin from another network", "WEB", hostIP + ":8080", "BLUE", ":80"},
}

func TestN16TenMebibytes(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	for _, way := range []string{byHost, byNetns} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, way, gatewayLab, "--trace", "off")
			servers := map[string]net.Listener{"NET": s.listen("NET", ":7000"), "BLUE": s.listen("BLUE", ":80")}
			for _, f := range flows {
				if way == byNetns && f.from == "HOST" {
					continue
				}
				t.Run(f.name, func(t *testing.T) {
					for _, first := range []string{"client", "server", "both"} {
						server := accept(servers[f.server])
						client := s.connect(f.from, f.to)
						exchange(t, first, client, <-server)
					}
				})
			}
		})
	}
}

// accept takes the next client of a listener, which may be a while in coming.
func accept(l net.Listener) <-chan *net.TCPConn {
	next := make(chan *net.TCPConn, 1)
	go func() {
		defer close(next)
		if c, err := l.Accept(); err == nil {
			_ = c.SetDeadline(time.Now().Add(2 * patience))
			next <- c.(*net.TCPConn)
		}
	}()
	return next
}

// exchange sends both cargoes over a connection. Whoever is first has closed its side before the other one begins; the
// other still gets everything through.
func exchange(t *testing.T, first string, client, server *net.TCPConn) {
	t.Helper()
	if client == nil || server == nil {
		t.Fatal("no connection")
	}
	defer client.Close()
	defer server.Close()
	sides := [2]*net.TCPConn{client, server}
	sending := func(from int) error {
		if _, err := sides[from].Write(cargo[from]); err != nil {
			return err
		}
		return sides[from].CloseWrite()
	}
	receiving := func(from int) error {
		got, err := io.ReadAll(sides[1-from])
		if err == nil && !bytes.Equal(got, cargo[from]) {
			err = fmt.Errorf("%d bytes arrived, want %d, and the same", len(got), len(cargo[from]))
		}
		return err
	}
	round := func(directions ...int) {
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i, from := range directions {
			all.Go(func() { errs[2*i] = sending(from) })
			all.Go(func() { errs[2*i+1] = receiving(from) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%s first: %v", first, err)
		}
	}
	switch first {
	case "client":
		round(0)
		round(1)
	case "server":
		round(1)
		round(0)
	case "both":
		round(0, 1)
	}
}

func TestF48DatagramsOfEverySize(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	for _, way := range []string{byHost, byNetns} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, way, gatewayLab, "--trace", "off")
			for _, f := range []struct{ name, from, to, server, at string }{
				{"out", "RED", siteIP + ":7001", "NET", siteIP + ":7001"},
				{"published", "NET", hostIP + ":5353", "BLUE", ":53"},
				{"hairpin", "RED", hostIP + ":5353", "BLUE", ":53"},
			} {
				t.Run(f.name, func(t *testing.T) {
					server := s.packets(f.server, f.at)
					defer server.Close()
					go echoDatagrams(server)
					client, err := s.dial(f.from, "udp4", "", f.to, 0)
					if err != nil {
						t.Fatal(err)
					}
					for _, size := range []int{0, 1, 7, 512, 1471, 1472, 1473, 2960, 9000, 65506, 65507} {
						if got := echoed(t, client, cargo[0][:size]); !bytes.Equal(got, cargo[0][:size]) {
							t.Errorf("of %d bytes %d came back, or others", size, len(got))
						}
					}
				})
			}
		})
	}
}

func echoDatagrams(c *net.UDPConn) {
	b := make([]byte, 1<<16)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		_, _ = c.WriteToUDPAddrPort(b[:n], from)
	}
}

// echoed sends a datagram until its echo comes: datagrams may get lost where a machine is busy.
func echoed(t *testing.T, c net.Conn, b []byte) []byte {
	t.Helper()
	answer := make([]byte, 1<<16)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		for n, err := c.Read(answer); err == nil; n, err = c.Read(answer) {
			if n == len(b) {
				return answer[:n]
			}
		}
	}
	return nil
}

func TestF40Resets(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	for _, way := range []string{byHost, byNetns} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, way, gatewayLab, "--trace", "off")
			servers := map[string]net.Listener{"NET": s.listen("NET", ":7000"), "BLUE": s.listen("BLUE", ":80")}
			for _, f := range flows {
				if way == byNetns && f.from == "HOST" {
					continue
				}
				for _, by := range []string{"client", "server"} {
					t.Run(f.name+" by the "+by, func(t *testing.T) {
						server := accept(servers[f.server])
						client := s.connect(f.from, f.to)
						resetter, other := client, <-server
						if other == nil {
							t.Fatal("no connection")
						}
						defer other.Close()
						if by == "server" {
							resetter, other = other, resetter
						}
						_, _ = resetter.Write([]byte("hello"))
						if _, err := io.ReadFull(other, make([]byte, 5)); err != nil {
							t.Fatal(err)
						}
						_ = resetter.SetLinger(0)
						resetter.Close()
						if _, err := other.Read(make([]byte, 1)); explain(err) != "reset" {
							t.Errorf("the other side is told: %s; want a reset", explain(err))
						}
					})
				}
			}
		})
	}
}

// TestF51SlowReader: one that does not read holds up itself only, and its sender learns of it.
func TestF51SlowReader(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab, "--trace", "off")
	s.sayWho("NET", ":80", "")
	listener := s.listen("NET", ":7000")
	next := accept(listener)
	client := s.connect("RED", siteIP+":7000")
	server := <-next
	if server == nil {
		t.Fatal("no connection")
	}
	defer server.Close()
	memory := s.memory()
	_ = client.SetWriteDeadline(time.Now().Add(3 * time.Second))
	sent, err := bytes.NewReader(bytes.Repeat(cargo[0], 10)).WriteTo(client)
	if explain(err) != "silence" {
		t.Errorf("after %d bytes that nobody reads: %v; want the sender to be held up", sent, err)
	}
	if got := withoutPort(s.asksTCP("RED", siteIP)); got != hostIP {
		t.Errorf("beside it: %s", got)
	}
	if grown := s.memory() - memory; grown > 64<<10 {
		t.Errorf("%d KiB more for one connection that nobody reads", grown)
	}
	_ = server.SetReadDeadline(time.Now().Add(2 * patience))
	client.Close()
	got, err := io.Copy(io.Discard, server)
	if got != sent || err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%d bytes arrived of %d: %v", got, sent, err)
	}
}
