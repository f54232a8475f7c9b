package test

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Datagrams that a program gives to the kernel in one piece, with the size to cut it to (udp(7): UDP_SEGMENT), as programs
// that speak QUIC do. An interface with offload gets the piece; whoever it is for gets the datagrams.

const (
	togetherSize = 1200                       // bytes of each datagram
	lastSize     = 300                        // but the last
	together     = 20*togetherSize + lastSize // bytes of all
)

func TestDatagramsTogether(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	for _, way := range []string{byHost, byNetns} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, way, gatewayLab)
			for _, f := range []struct{ name, from, to, server, at string }{
				{"out", "RED", siteIP + ":7001", "NET", siteIP + ":7001"},
				{"published", "NET", hostIP + ":5353", "BLUE", ":53"},
				{"within the network", "RED", blueIP + ":53", "BLUE", ":53"},
			} {
				t.Run(f.name, func(t *testing.T) {
					server := s.packets(f.server, f.at)
					defer server.Close()
					go answerTogether(server)
					client, err := s.dial(f.from, "udp4", "", f.to, 0)
					if err != nil {
						t.Fatal(err)
					}
					asksTogether(t, client.(*net.UDPConn))
				})
			}
			if os.Getenv("USWITCH_OFFLOAD") != "off" {
				s.event("frame that stands for 21 datagrams", func(e event) bool {
					return strings.Contains(e.Text, "21 segments travel together as one frame")
				})
			}
		})
	}
}

// asksTogether sends all datagrams in one piece, and again when not all come back: some may get lost where a machine is busy.
func asksTogether(t *testing.T, c *net.UDPConn) {
	t.Helper()
	want := cargo[0][:together]
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err := writeTogether(c, want, netip.AddrPort{}); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		if got, _, err := readTogether(c); err == nil && bytes.Equal(got, want) {
			return
		}
	}
	t.Error("the datagrams did not come back, or not as they were")
}

// answerTogether sends back what comes, in one piece as well.
func answerTogether(c *net.UDPConn) {
	for {
		b, from, err := readTogether(c)
		if err != nil {
			return
		}
		_ = writeTogether(c, b, from)
	}
}

// readTogether reads datagrams up to the last one, which is the shorter.
func readTogether(c *net.UDPConn) (all []byte, from netip.AddrPort, err error) {
	b := make([]byte, 1<<16)
	for n := 0; n != lastSize; {
		if n, from, err = c.ReadFromUDPAddrPort(b); err != nil {
			return nil, from, err
		}
		all = append(all, b[:n]...)
	}
	return all, from, nil
}

// writeTogether gives datagrams to the kernel in one piece. A connected socket needs no address.
func writeTogether(c *net.UDPConn, b []byte, to netip.AddrPort) error {
	size := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(size, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(size[8:], unix.IPPROTO_UDP)
	binary.NativeEndian.PutUint32(size[12:], unix.UDP_SEGMENT)
	binary.NativeEndian.PutUint16(size[unix.CmsgLen(0):], togetherSize)
	_, _, err := c.WriteMsgUDPAddrPort(b, size, to)
	return err
}
