package uplink

import (
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// machine is an Own that the test decides about.
type machine struct {
	own  netip.Addr
	fail error
}

func (m *machine) Owns(a netip.Addr) (bool, error) { return a == m.own, m.fail }

// TestWall: what the host owns is closed, and so is all that it does not tell about.
func TestWall(t *testing.T) {
	m := &machine{own: netip.MustParseAddr("192.0.2.7")}
	walled, err := NewHost(HostConfig{Own: m})
	if err != nil {
		t.Fatal(err)
	}
	defer walled.Close()
	open, err := NewHost(HostConfig{Own: m, AllowHost: true})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	check := func(when string, h *Host, dst string, want trace.Reason) {
		t.Helper()
		for _, proto := range []uint8{frame.ProtoTCP, frame.ProtoUDP} {
			flow := frame.Tuple{Proto: proto, SrcIP: frame.AddrOf(netip.AddrFrom4([4]byte{11, 11, 11, 2})), SrcPort: 4000, DstIP: frame.AddrOf(netip.MustParseAddr(dst)), DstPort: 80}
			got, r := h.Bind(nat.Binding{Tuple: flow}, time.Now())
			if r != want {
				t.Errorf("%s: %s, protocol %d: %v, want %v", when, dst, proto, r, want)
			}
			if r == trace.NoReason {
				flow.SrcIP, flow.SrcPort = frame.AddrOf(got.Addr()), got.Port()
				h.Release(flow)
			}
		}
	}
	links := []string{"169.254.169.254", "169.254.170.2", "169.254.0.1"}
	check("it is the host's", walled, "192.0.2.7", trace.HostForbidden)
	check("it is not", walled, "192.0.2.8", trace.NoReason)
	for _, dst := range append(links, "127.0.0.1", "127.8.8.8", "0.0.0.0") {
		check("never", walled, dst, trace.HostForbidden)
	}
	m.own = netip.MustParseAddr("192.0.2.8")
	check("it became the host's", walled, "192.0.2.8", trace.HostForbidden)
	m.fail = errors.New("no memory")
	check("the host does not tell", walled, "192.0.2.7", trace.HostUnknown)
	check("the host does not tell", walled, "9.9.9.9", trace.HostUnknown)
	for _, dst := range append(links, "192.0.2.7", "9.9.9.9") {
		check("all is open", open, dst, trace.NoReason)
	}
}

// TestAddrList: a list that cannot be read takes no good one's place, and two who come first wait for the same one.
func TestAddrList(t *testing.T) {
	var fail error
	now, own := time.Unix(0, 0), netip.MustParsePrefix("192.0.2.7/24")
	list := &addrList{now: func() time.Time { return now }, read: func() ([]netip.Prefix, error) { return []netip.Prefix{own}, fail }}
	var first sync.WaitGroup
	for range 8 {
		first.Go(func() {
			if got, err := list.Owns(own.Addr()); err != nil || !got {
				t.Errorf("first: %v %v", got, err)
			}
		})
	}
	first.Wait()
	fail, now = errors.New("too many open files"), now.Add(refreshAfter)
	if got, _ := list.Owns(own.Addr()); !got {
		t.Error("the good list was forgotten")
	}
	if _, err := list.Owns(netip.MustParseAddr("9.9.9.9")); err == nil {
		t.Error("what cannot be known is said to be known")
	}
	fail, own = nil, netip.MustParsePrefix("192.0.2.9/24")
	if got, err := list.Owns(own.Addr()); err != nil || !got {
		t.Errorf("a list that can be read again: %v %v", got, err)
	}
}
