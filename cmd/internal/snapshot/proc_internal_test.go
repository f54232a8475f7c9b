package snapshot

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"uswitch/arp"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// kernel writes an address as /proc/net does on this machine.
func kernel(a string) string {
	raw := netip.MustParseAddr(a).AsSlice()
	var b strings.Builder
	for ; len(raw) > 0; raw = raw[4:] {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(raw))
	}
	return b.String()
}

func TestParseSockets(t *testing.T) {
	line := func(local, state string) string {
		return "   0: " + local + " " + kernel("0.0.0.0") + ":0000 " + state + " 00000000:00000000 00:00000000 00000000 0 0 1\n"
	}
	text := "  sl  local_address rem_address   st tx_queue\n" +
		line(kernel("0.0.0.0")+":0050", tcpListen) +
		line(kernel("127.0.0.1")+":1F90", tcpListen) +
		line(kernel("11.11.11.2")+":01BB", "01") + // established
		line(kernel("::")+":2328", tcpListen) +
		line(kernel("::1")+":2329", tcpListen) + // IPv6 only
		line(kernel("::ffff:11.11.11.2")+":232A", tcpListen) +
		line("nonsense", tcpListen)
	var got []string
	for _, s := range parseSockets(text, tcpListen) {
		got = append(got, s.String())
	}
	if want := []string{"0.0.0.0:80", "127.0.0.1:8080", "0.0.0.0:9000", "11.11.11.2:9002"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParseRoutes(t *testing.T) {
	line := func(card, dst, via, flags, metric, mask string) string {
		return strings.Join([]string{card, kernel(dst), kernel(via), flags, "0", "0", metric, kernel(mask), "0", "0", "0"}, "\t") + "\n"
	}
	text := "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
		line("eth0", "0.0.0.0", "11.11.11.9", "0003", "100", "0.0.0.0") +
		line("eth0", "0.0.0.0", "11.11.11.1", "0003", "0", "0.0.0.0") +
		line("eth0", "0.0.0.0", "11.11.11.8", "0003", "50", "0.0.0.0") +
		line("eth0", "11.11.11.0", "0.0.0.0", "0001", "0", "255.255.255.0") +
		line("eth1", "10.9.0.0", "22.22.22.7", "0003", "0", "255.255.0.0") +
		line("*", "10.8.0.0", "0.0.0.0", "0201", "0", "255.255.0.0") + // unreachable
		line("eth0", "10.7.0.0", "11.11.11.1", "0002", "0", "255.255.0.0") // not up
	want := []sim.HostRoute{
		{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("11.11.11.1"), Card: "eth0"},
		{Prefix: netip.MustParsePrefix("11.11.11.0/24"), Card: "eth0"},
		{Prefix: netip.MustParsePrefix("10.9.0.0/16"), Via: netip.MustParseAddr("22.22.22.7"), Card: "eth1"},
	}
	if got := parseRoutes(text); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestParseNeighbors(t *testing.T) {
	text := `IP address       HW type     Flags       HW address            Mask     Device
11.11.11.1       0x1         0x2         02:42:0b:0b:0b:01     *        eth0
11.11.11.7       0x1         0x6         02:42:0b:0b:0b:07     *        eth0
11.11.11.9       0x1         0x0         00:00:00:00:00:00     *        eth0
`
	row := func(a string, last byte, s arp.State) neighbor {
		return neighbor{arp.Neighbor{Addr: netip.MustParseAddr(a), MAC: frame.MAC{2, 0x42, 11, 11, 11, last}, State: s}, "eth0"}
	}
	want := []neighbor{row("11.11.11.1", 1, arp.Stale), row("11.11.11.7", 7, arp.Permanent)}
	if got := parseNeighbors(text); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// FuzzProc: whatever a kernel says, what is made of it can be used.
func FuzzProc(f *testing.F) {
	f.Add("eth0\t00000000\t010B0B0B\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")
	f.Add("   0: 00000000:0050 00000000:0000 0A 00000000:00000000\n")
	f.Add("11.11.11.1 0x1 0x2 02:42:0b:0b:0b:01 * eth0\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range append(parseSockets(text, tcpListen), parseSockets(text, udpOpen)...) {
			if !s.Addr().Is4() || s.Port() == 0 {
				t.Errorf("socket %v", s)
			}
		}
		for _, r := range parseRoutes(text) {
			if !r.Prefix.IsValid() || r.Prefix != r.Prefix.Masked() || r.Via.IsValid() && !r.Via.Is4() {
				t.Errorf("route %v", r)
			}
		}
		for _, n := range parseNeighbors(text) {
			if !n.Addr.Is4() {
				t.Errorf("neighbour %v", n)
			}
		}
	})
}
