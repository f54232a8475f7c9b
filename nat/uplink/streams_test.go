//go:build linux

package uplink_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"

	"uswitch/nat/uplink"
)

// TestStreams: a stream that comes in without a pause is told about as long as it does, and an idle connection is not.
func TestStreams(t *testing.T) {
	var streams atomic.Int32
	l := newLab(t, uplink.HostConfig{Streams: func(change int) { streams.Add(int32(change)) }})
	serve(t, wanPID, server+":7", echo)
	serve(t, wanPID, server+":19", func(c *net.TCPConn) {
		defer c.Close()
		_, _ = c.Write(randomBytes(8 << 20))
	})
	idle := l.mustDial(t, red, server+":7")
	exchange(t, idle, []byte("a few bytes"))
	if n := streams.Load(); n != 0 {
		t.Errorf("%d streams of a few bytes", n)
	}
	first, second := l.mustDial(t, red, server+":19"), l.mustDial(t, red, server+":19")
	eventually(t, "both streams are told about", func() bool { return streams.Load() == 2 })
	for _, c := range []io.Reader{first, second} {
		if n, err := io.Copy(io.Discard, c); n != 8<<20 || err != nil {
			t.Errorf("%d bytes came, %v", n, err)
		}
	}
	eventually(t, "their end is told about", func() bool { return streams.Load() == 0 })
}
