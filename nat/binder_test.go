package nat_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// socketWay is an uplink that owns its address: it hands out ports from 40000 on, one to each inside endpoint.
type socketWay struct {
	way
	next  uint16
	held  map[string]int    // by inside endpoint, how often
	ports map[string]uint16 // by inside endpoint
	by    map[uint16]string
	full  bool
}

func (w *socketWay) Bind(b nat.Binding, now time.Time) (netip.AddrPort, trace.Reason) {
	t := b.Tuple
	if w.full {
		return netip.AddrPort{}, trace.NATNoPort
	}
	in := fmt.Sprint(t.Proto, t.Source())
	if w.held[in]++; w.held[in] == 1 {
		w.ports[in], w.by[w.next] = w.next, in
		w.next++
	}
	return netip.AddrPortFrom(ip4("192.0.2.2"), w.ports[in]), trace.NoReason
}

func (w *socketWay) Release(t frame.Tuple) { w.held[w.by[t.SrcPort]]-- }

func newSocketLab(t testing.TB, c nat.Config, rules ...string) (*lab, *socketWay) {
	l := newLabWith(t, c, rules...)
	l.Remove(l.wan.leg)
	w := &socketWay{way: way{lab: l}, next: 40000, held: map[string]int{}, ports: map[string]uint16{}, by: map[uint16]string{}}
	w.leg = l.add(nat.InterfaceConfig{Name: "uplink", Addr: prefix("192.0.2.2/32"), Uplink: w})
	if err := l.AddRoute(defaultRoute, netip.Addr{}, w.leg); err != nil {
		t.Fatal(err)
	}
	return l, w
}

// total is how many reservations are held.
func (w *socketWay) total() (n int) {
	for _, held := range w.held {
		n += held
	}
	return n
}

func TestBinderDecides(t *testing.T) {
	l, w := newSocketLab(t, nat.Config{}, masquerade)
	l.red.send(udp(redPort, "8.8.8.8:53", ""), udp(redPort, "1.1.1.1:53", ""), echo("11.11.11.2", "8.8.8.8", 7, ""))
	l.pink.send(udp("11.11.11.3:1818", "8.8.8.8:53", ""))
	l.want(w, "udp 192.0.2.2:40000 > 8.8.8.8:53 ttl 63", "udp 192.0.2.2:40000 > 1.1.1.1:53 ttl 63",
		"echo 192.0.2.2 > 8.8.8.8 ttl 63 id 40001", "udp 192.0.2.2:40002 > 8.8.8.8:53 ttl 63")
	w.send(udp("8.8.8.8:53", "192.0.2.2:40002", "pink"), udp("1.1.1.1:53", "192.0.2.2:40000", "red"), echoReply("8.8.8.8", "192.0.2.2", 40001, ""))
	l.want(l.br0, `udp 8.8.8.8:53 > 11.11.11.3:1818 ttl 63 "pink"`, `udp 1.1.1.1:53 > 11.11.11.2:1818 ttl 63 "red"`,
		"echo-reply 8.8.8.8 > 11.11.11.2 ttl 63 id 7")
	if w.total() != 4 {
		t.Errorf("%d reservations, want 4", w.total())
	}
	l.advance(2 * time.Minute) // the ping is over
	if w.total() != 3 {
		t.Errorf("%d reservations after two minutes, want 3", w.total())
	}
	l.DropConns(func(c nat.Conn) bool { return true }, l.now)
	if w.total() != 0 {
		t.Errorf("%d reservations of no connections", w.total())
	}
}

func TestBinderRefuses(t *testing.T) {
	l, w := newSocketLab(t, nat.Config{}, masquerade)
	w.full = true
	l.red.send(udp(redPort, "8.8.8.8:53", "q"))
	l.want(w)
	l.want(l.br0, `icmp 3/13 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:1818 > 8.8.8.8:53 ttl 63 "q"`)
	l.drops(trace.NATNoPort, 1)
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestBinderGetsBackWhatIsNotUsed(t *testing.T) {
	l, w := newSocketLab(t, nat.Config{MaxConns: 2}, masquerade)
	for i := range 10 {
		src := fmt.Sprintf("11.11.11.2:%d", 1000+i)
		l.red.send(udp(src, "8.8.8.8:53", ""))
		w.send(udp("8.8.8.8:53", fmt.Sprintf("192.0.2.2:%d", 40000+i), ""))
		l.advance(1100 * time.Millisecond)
		if w.total() > 2 {
			t.Fatalf("%d reservations for %d connections", w.total(), len(l.Conns(l.now)))
		}
	}
}

func TestBinderPublishedPort(t *testing.T) {
	l, w := newSocketLab(t, nat.Config{}, masquerade,
		"-t nat -A PREROUTING -p tcp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT --to-destination 11.11.11.2:80")
	w.send(tcp("198.51.100.7:5000", "192.0.2.2:8080", seg{flags: "S"}))
	l.want(l.br0, "tcp 198.51.100.7:5000 > 11.11.11.2:80 ttl 63 S")
	l.red.send(tcp("11.11.11.2:80", "198.51.100.7:5000", seg{flags: "SA", ack: 1}))
	l.want(w, "tcp 192.0.2.2:8080 > 198.51.100.7:5000 ttl 63 SA")
	if w.total() != 0 {
		t.Error("a published connection needs no reservation")
	}
	// Not to this port: the gateway itself refuses, without a reservation.
	w.send(tcp("198.51.100.7:5000", "192.0.2.2:8081", seg{flags: "S"}))
	l.want(w, "tcp 192.0.2.2:8081 > 198.51.100.7:5000 ttl 64 RA")
	if w.total() != 0 {
		t.Errorf("%d reservations", w.total())
	}
}

// TestFlushedConnectionsKeepTheirPorts: what goes on after a flush leaves from where it did; what does not gives its port
// back when its time is over.
func TestFlushedConnectionsKeepTheirPorts(t *testing.T) {
	l, w := newSocketLab(t, nat.Config{}, masquerade)
	l.red.send(udp(redPort, "8.8.8.8:53", ""), tcp("11.11.11.2:9", server, seg{flags: "S"}))
	l.FlushConns(func(nat.Conn) bool { return true }, l.now)
	if n := w.total(); n != 2 || len(l.Conns(l.now)) != 0 {
		t.Fatalf("%d ports are held after the flush, want both, and %d connections", n, len(l.Conns(l.now)))
	}
	w.raw()
	l.red.send(udp(redPort, "8.8.8.8:53", "on"))
	l.want(w, `udp 192.0.2.2:40000 > 8.8.8.8:53 ttl 63 "on"`)
	l.Tick(l.now)
	if n := w.total(); n != 2 {
		t.Errorf("%d ports are held, want one for each connection", n)
	}
	l.advance(10 * time.Minute)
	if n := w.total(); n != 0 {
		t.Errorf("%d ports are held in the end", n)
	}
}
