package test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
)

// TestHalfOfTheProcessors: a lab leaves half of the processors to others, takes all of them while as many streams come in,
// gives them back, and obeys who sets GOMAXPROCS. What it takes is what Go's scheduler says of itself.
func TestHalfOfTheProcessors(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	all := runtime.GOMAXPROCS(0)
	half := max(1, all/2)
	tells := func(t *testing.T, s *site, n int) {
		t.Helper()
		s.stderr.find(t, s.stderr.count(), fmt.Sprintf("sign of %d processors", n), containing(fmt.Sprintf("gomaxprocs=%d ", n)))
	}
	t.Run("streams", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, byHost, gatewayLab)
		s.startAs([]string{"env", "-u", "GOMAXPROCS", "GODEBUG=schedtrace=100", uswitch}, "--trace", "off")
		tells(t, s, half)
		s.serve("NET", ":7000", func(c *net.TCPConn) {
			for b := make([]byte, 1<<20); ; {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		})
		var streams []net.Conn
		for range all {
			c, err := s.dial("RED", "tcp4", "", siteIP+":7000", patience)
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, c)
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
		tells(t, s, all)
		for _, c := range streams {
			c.Close()
		}
		tells(t, s, half)
	})
	t.Run("GOMAXPROCS", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, byHost, gatewayLab)
		s.startAs([]string{"env", "GOMAXPROCS=3", "GODEBUG=schedtrace=100", uswitch}, "--trace", "off")
		tells(t, s, 3)
	})
}
