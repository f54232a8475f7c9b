package vswitch_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// lab is a switch whose links and gateway record what they get. Its clock stands still until a test moves it.
type lab struct {
	*vswitch.Switch
	t       testing.TB
	tracer  *trace.Tracer
	now     time.Time
	names   []string // of the ports, in the order in which they came
	ports   map[string]*vswitch.Port
	links   map[string]*link
	gateway *station
	drops   map[trace.Reason]uint64 // counted up to the last outcome
}

var (
	epoch   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	gateway = frame.MAC{2, 0x42, 11, 11, 11, 1}
	group   = frame.MAC{1, 0, 0x5e, 0, 0, 0xfb}
	nearest = frame.MAC{1, 0x80, 0xc2, 0, 0, 0x0e} // reserved: learned from, never forwarded
)

// host is the address of station n.
func host(n int) frame.MAC {
	m := frame.MAC{2}
	binary.BigEndian.PutUint32(m[2:], uint32(n))
	return m
}

// newLab makes a switch with a gateway, and ports of those names with the default flags.
func newLab(t testing.TB, c vswitch.Config, names ...string) *lab {
	t.Helper()
	if c.Epoch.IsZero() {
		c.Epoch = epoch
	}
	l := &lab{t: t, tracer: new(trace.Tracer), now: c.Epoch, ports: map[string]*vswitch.Port{}, links: map[string]*link{},
		gateway: new(station), drops: map[trace.Reason]uint64{}}
	c.Name, c.Tracer = "br0", l.tracer
	l.Switch = vswitch.New(c)
	l.SetLocal(gateway, l.gateway)
	for _, name := range names {
		l.plug(name, vswitch.DefaultFlags())
	}
	return l
}

func (l *lab) plug(name string, k vswitch.PortFlags) *vswitch.Port {
	l.t.Helper()
	link := newLink()
	p, err := l.Attach(name, link, k)
	if err != nil {
		l.t.Fatal(err)
	}
	l.names = append(l.names, name)
	l.ports[name], l.links[name] = p, link
	return p
}

// set changes the flags of a port.
func (l *lab) set(name string, change func(*vswitch.PortFlags)) {
	k := l.ports[name].Flags()
	change(&k)
	l.SetFlags(l.ports[name], k)
}

func (l *lab) pass(d time.Duration) { l.now = l.now.Add(d) }

// input carries a frame from a port, or from the gateway, through the switch.
func (l *lab) input(from string, f frame.Frame) {
	if from == "gateway" {
		l.Output(f, nil, l.now)
		return
	}
	l.Input(l.ports[from], f, l.now)
}

func (l *lab) send(from string, dst, src frame.MAC) { l.input(from, frameOf(dst, src, 60)) }

// outcome says what became of all frames since the last call: who got a copy, in the order of plugging, the gateway last
// (x2 for two copies), and !reason for each frame or copy that was dropped.
func (l *lab) outcome() string {
	var words []string
	say := func(word string, n int) {
		switch {
		case n == 1:
			words = append(words, word)
		case n > 1:
			words = append(words, fmt.Sprintf("%sx%d", word, n))
		}
	}
	for _, name := range l.names {
		say(name, len(l.links[name].take()))
	}
	say("gateway", len(l.gateway.take()))
	for _, r := range trace.Reasons() {
		n := l.tracer.Drops(r)
		say("!"+r.String(), int(n-l.drops[r]))
		l.drops[r] = n
	}
	return strings.Join(words, " ")
}

// expect fails the test if the outcome is another.
func (l *lab) expect(want string) {
	l.t.Helper()
	if got := l.outcome(); got != want {
		l.t.Fatalf("outcome %q, want %q", got, want)
	}
}

// table renders the learned and static addresses: "host>port", with + for static and * for sticky.
func (l *lab) table() string {
	var rows []string
	for _, e := range l.Entries(l.now) {
		mark := ""
		switch {
		case e.Port == "":
			continue
		case e.Sticky:
			mark = "*"
		case e.Static:
			mark = "+"
		}
		rows = append(rows, fmt.Sprintf("%d>%s%s", binary.BigEndian.Uint32(e.MAC[2:]), e.Port, mark))
	}
	return strings.Join(rows, " ")
}

// frameOf makes a frame of that many bytes, its payload different at every place.
func frameOf(dst, src frame.MAC, length int) frame.Frame {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	frame.Ethernet(b).SetHeader(dst, src, frame.TypeIPv4)
	return frame.Frame{Data: b}
}

// link records what the switch writes, and hands the switch what a test feeds.
type link struct {
	feed   chan frame.Frame
	ended  chan struct{}
	end    func()
	reason error // what Read says once ended

	mu    sync.Mutex
	got   []frame.Frame
	err   error  // what Write answers
	fault string // what Write panics with
}

var errClosed = errors.New("closed")

func newLink() *link {
	l := &link{feed: make(chan frame.Frame), ended: make(chan struct{}), reason: errClosed}
	l.end = sync.OnceFunc(func() { close(l.ended) })
	return l
}

func (l *link) Read() (frame.Frame, error) {
	select {
	case f := <-l.feed:
		return f, nil
	case <-l.ended:
		return frame.Frame{}, l.reason
	}
}

func (l *link) Write(f frame.Frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != "" {
		panic(l.fault)
	}
	if l.err == nil {
		l.got = append(l.got, f.Clone())
	}
	return l.err
}

func (l *link) Close() error { l.end(); return nil }

func (l *link) take() []frame.Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}

// station is a gateway that records what it gets, and may panic.
type station struct {
	mu    sync.Mutex
	got   []frame.Frame
	fault string
}

func (s *station) Input(f frame.Frame, _ *trace.Journey, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != "" {
		panic(s.fault)
	}
	s.got = append(s.got, f.Clone())
}

// Has says that the gateway has fd00::1.
func (*station) Has(a netip.Addr) bool { return a == netip.MustParseAddr("fd00::1") }

func (s *station) take() []frame.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}
