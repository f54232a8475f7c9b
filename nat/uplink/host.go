//go:build !js

package uplink

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Host is the way out through the host's own sockets. Every method may be called from many goroutines.
type Host struct {
	addr, addr6 netip.Addr
	prefix      netip.Prefix
	gateway     netip.Addr
	gateway6    netip.Addr
	allowHost   bool
	mtu         int  // of the inside
	gso         bool // the inside takes super-frames
	limits      Limits
	streams     *Streams
	tracer      *trace.Tracer
	now         func() time.Time
	deliver     atomic.Pointer[func(frame.Frame, time.Time)]
	undelivered atomic.Pointer[func(nat.Failure, time.Time)]
	own         Own
	shared      bool          // addr is the host's
	ids         atomic.Uint32 // the last IP identification that was used
	ports       *ports        // of TCP
	net         *tcpStack
	flows       flows
	queues      queues
	workers     workers
	done        chan struct{} // closed by Close
	running     sync.WaitGroup

	mu         sync.RWMutex // guards all below; never held across a system call
	inside     map[inside]*mapping
	outside    map[outside]*mapping
	sources    map[sender]*source
	order      uint64           // of dials
	sockets    int              // open file descriptors of mappings, dials and connections
	others     int              // file descriptors that are somebody else's
	files      int              // those that there are for flows, published ports and others
	raw        map[bool]*socket // of IPv6: true
	listens    map[outside][]*udpListener
	open       map[*splice]struct{}
	closers    map[closer]struct{} // listeners
	aliases    map[aliased]*alias
	aliasPorts map[outside]bool
	lastAlias  uint16
	closed     bool
}

type closer interface{ Close() error }

var (
	_ nat.Uplink = (*Host)(nil)
	_ nat.Binder = (*Host)(nil)
)

// NewHost makes a Host. It touches no network: a host without any route is as good as another until something wants out.
func NewHost(c HostConfig) (*Host, error) {
	shared := false
	if !c.Addr.IsValid() {
		c.Addr, shared = OutgoingAddr()
	}
	if !c.Gateway.IsValid() {
		c.Gateway = DefaultGateway
	}
	if !c.Addr6.IsValid() {
		c.Addr6 = OutgoingAddr6()
	}
	if !c.Gateway6.IsValid() {
		c.Gateway6 = DefaultGateway6
	}
	if c.MTU == 0 {
		c.MTU = 1500
	}
	if c.Streams == nil {
		c.Streams = NewStreams()
	}
	if c.Tracer == nil {
		c.Tracer = new(trace.Tracer)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Own == nil {
		c.Own = &addrList{now: c.Now, read: hostPrefixes}
	}
	switch {
	case !c.Addr.Addr().Is4() || !c.Gateway.Is4():
		return nil, fmt.Errorf("uplink: address %v, gateway %v: want IPv4", c.Addr, c.Gateway)
	case c.Addr.Addr() == c.Gateway:
		return nil, fmt.Errorf("uplink: address and gateway are both %v: they must differ", c.Gateway)
	case !c.Addr6.Is6() || !c.Gateway6.Is6() || c.Addr6 == c.Gateway6:
		return nil, fmt.Errorf("uplink: address %v, gateway %v: want two of IPv6", c.Addr6, c.Gateway6)
	case c.MTU < 576 || c.MTU > MaxMTU:
		return nil, fmt.Errorf("uplink: MTU %d: want 576 to %d", c.MTU, MaxMTU)
	}
	h := &Host{addr: c.Addr.Addr(), prefix: c.Addr, gateway: c.Gateway,
		addr6: c.Addr6, gateway6: c.Gateway6, allowHost: c.AllowHost, own: c.Own, shared: shared,
		mtu: c.MTU, gso: c.GSO, limits: c.Limits.withDefaults(), streams: c.Streams, tracer: c.Tracer, now: c.Now,
		ports: newPorts(), done: make(chan struct{}), files: FreeFiles(),
		raw: map[bool]*socket{}, inside: map[inside]*mapping{}, outside: map[outside]*mapping{}, sources: map[sender]*source{},
		listens: map[outside][]*udpListener{}, open: map[*splice]struct{}{}, closers: map[closer]struct{}{},
		aliases: map[aliased]*alias{}, aliasPorts: map[outside]bool{}}
	var err error
	if h.net, err = h.newStack(); err != nil {
		return nil, err
	}
	return h, nil
}

// Addr returns the uplink's own address and network: what translated packets have as their source.
func (h *Host) Addr() netip.Prefix { return h.prefix }

// Shared reports whether Addr is the host's own address: nat.InterfaceConfig.Shared.
func (h *Host) Shared() bool { return h.shared }

// Attach tells the uplink where to hand what comes in: Gateway.InputUplink, with the gateway's interface to this uplink.
// It must be called before the first packet leaves. deliver is called from many goroutines at once; the frame has
// EthernetHeader bytes of room in front, and is lent for the call. undelivered is Gateway.Undelivered, which hears what the
// host's own kernel says of packets that have left; it is called in the same way.
func (h *Host) Attach(deliver func(f frame.Frame, now time.Time), undelivered func(f nat.Failure, now time.Time)) {
	h.undelivered.Store(&undelivered)
	h.deliver.Store(&deliver)
}

// Addr6 returns the uplink's own address of IPv6, on no network.
func (h *Host) Addr6() netip.Prefix { return netip.PrefixFrom(h.addr6, h.addr6.BitLen()) }

// self returns the uplink's own address of a family.
func (h *Host) self(v6 bool) netip.Addr {
	if v6 {
		return h.addr6
	}
	return h.addr
}

// standIn returns the address of a family that stands for the host itself.
func (h *Host) standIn(v6 bool) netip.Addr {
	if v6 {
		return h.gateway6
	}
	return h.gateway
}

// IsMachine implements nat.Machiner: clients on this machine.
func (h *Host) IsMachine(a netip.Addr) bool { return a == h.gateway || a == h.gateway6 }

// Output implements nat.Uplink. It never waits for the network. A fault in it is the uplink's own, and no concern of the port
// that the frame came from.
func (h *Host) Output(f frame.Frame, now time.Time) (r trace.Reason) {
	defer func() {
		if fault := recover(); fault != nil {
			h.tracer.Fault("uplink host", fault)
			r = trace.UplinkFault
		}
	}()
	return h.output(f, now)
}

// errClosed is what is said to whoever wants something of a Host that was closed.
var errClosed = errors.New("uplink: closed")

// Close ends every connection, with a RST to both sides, and every listener, and gives every file descriptor back. It
// returns when all goroutines are gone. No deliver is called afterwards.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	close(h.done)
	var end []closer
	for c := range h.closers {
		end = append(end, c)
	}
	for s := range h.open {
		end = append(end, s)
	}
	for _, m := range h.inside {
		end = append(end, h.forget(m)...)
	}
	for _, raw := range h.raw {
		end = append(end, raw)
	}
	clear(h.raw)
	h.mu.Unlock()
	closeAll(end)
	h.net.Close()
	h.running.Wait()
	return nil
}

// contained runs f. A fault in it is that of whatever the calling goroutine serves: a connection, what a socket has just read.
func (h *Host) contained(f func()) (whole bool) {
	defer h.tracer.Contain(trace.UplinkFault, "uplink host")
	f()
	return true
}

// start runs f in a goroutine that Close waits for.
func (h *Host) start(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.running.Go(f)
	return true
}

func closeAll(all []closer) {
	for _, c := range all {
		_ = c.Close() // a socket that does not close has nowhere to say so
	}
}
