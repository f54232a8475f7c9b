//go:build linux

package uplink_test

import (
	"io"
	"net"
	"testing"

	"uswitch/nat/uplink"
)

// TestStreams: streams that carry much are counted, each once a look; few bytes are none, and neither are streams that wait
// for their reader.
func TestStreams(t *testing.T) {
	streams := uplink.NewStreams()
	l := newLab(t, uplink.HostConfig{Streams: streams})
	serve(t, wanPID, server+":7", echo)
	serve(t, wanPID, server+":19", func(c *net.TCPConn) {
		defer c.Close()
		_, _ = c.Write(randomBytes(8 << 20))
	})
	exchange(t, l.mustDial(t, red, server+":7"), []byte("a few bytes"))
	if n := streams.Look(); n != 0 {
		t.Errorf("%d streams of a few bytes", n)
	}
	first, second := l.mustDial(t, red, server+":19"), l.mustDial(t, red, server+":19")
	eventually(t, "streams that nobody reads come to rest", func() bool { return streams.Look() == 0 })
	for len(streams.Begun()) > 0 {
		<-streams.Begun()
	}
	done := make(chan error)
	for _, c := range []io.Reader{first, second} {
		go func() {
			n, err := io.Copy(io.Discard, c)
			if err == nil && n != 8<<20 {
				err = io.ErrUnexpectedEOF
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := streams.Look(); n != 2 || len(streams.Begun()) != 1 {
		t.Errorf("%d streams, %d signs of them, want 2 and 1", n, len(streams.Begun()))
	}
	if n := streams.Look(); n != 0 {
		t.Errorf("%d streams when all have ended", n)
	}
}
