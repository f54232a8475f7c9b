//go:build linux

package uplink_test

import (
	"net/netip"
	"testing"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// With all sockets in use, whoever has the most pays for the next one, and a dial of its own is what a source pays with.
func TestSocketsAreShared(t *testing.T) {
	for name, proto := range map[string]uint8{"flows": frame.ProtoUDP, "dials": frame.ProtoTCP} {
		t.Run(name, func(t *testing.T) {
			before := openSockets()
			h, err := uplink.NewHost(uplink.HostConfig{Addr: netip.MustParsePrefix("192.168.104.2/24"),
				Limits: uplink.Limits{Sockets: 8, Flows: 100, Dials: 100, Conns: 100}})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			for i := range uint16(40) {
				from := red
				if i%10 == 9 {
					from = blue
				}
				f := frame.Tuple{Proto: proto, SrcIP: frame.AddrOf(from), SrcPort: 1000 + i, DstIP: frame.AddrOf(netip.AddrFrom4([4]byte{9, 9, 9, 9})), DstPort: 9}
				if _, r := h.Bind(nat.Binding{Tuple: f}, at); r != trace.NoReason {
					t.Fatalf("socket %d: %v", i, r)
				}
			}
			eventually(t, "more sockets are open than the limit says", func() bool { return openSockets()-before <= 8 })
		})
	}
}
