//go:build linux

package uplink_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"uswitch/nat/uplink"
)

// TestCloseInAFlood: whoever closes a socket waits for the end of a turn, not of the datagrams. Each that is read brings about the
// next one, so that there is always something to read, however slow or fast the machine is, until the flood ends by itself.
func TestCloseInAFlood(t *testing.T) {
	s, port, err := uplink.NewSocket()
	if err != nil {
		t.Fatal(err)
	}
	flood, err := net.Dial("udp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	send := func() {
		if _, err := flood.Write([]byte("flood")); err != nil {
			t.Error(err)
		}
	}
	for range 100 {
		send()
	}
	read, over := 0, false
	begun, ended := make(chan struct{}), make(chan struct{})
	end := time.Now().Add(patience)
	go func() {
		defer close(ended)
		s.ReadAll(func([]byte, netip.AddrPort) {
			if read++; read == 200 {
				close(begun)
			}
			if over = over || time.Now().After(end); !over {
				send()
			}
		})
	}()
	<-begun
	s.Close()
	<-ended
	if over {
		t.Errorf("%d datagrams were read before it closed: until there were no more", read)
	}
}
