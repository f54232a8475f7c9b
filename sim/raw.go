package sim

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"uswitch/switch/frame"
)

// Raw is a socket for IP packets to one address, echo requests or datagrams that the program writes itself, for tasks. It hears the
// answers, and what ICMP says about its packets. Whose an answer is says a number: the identifier of echo requests, the port from
// which datagrams come. It ends with the context with which it was made.
type Raw struct {
	Whole bool // no packet is cut; those of IPv6 have no bit that says so themselves

	ctx     context.Context
	loop    *Loop
	machine *Machine
	proto   uint8
	to      netip.Addr
	way     way // its mtu is that of the path, as far as it is known
	number  uint16
	in      []received
}

// received is a packet that has arrived, and when.
type received struct {
	packet frame.IP
	at     time.Time
}

// Raw makes a raw socket for the ICMP of to's family or frame.ProtoUDP.
func (s Sockets) Raw(ctx context.Context, proto uint8, to netip.Addr) (*Raw, error) {
	m := s.Machine
	w, bare, err := m.toward(proto, netip.AddrPortFrom(to, 0))
	if err != nil {
		return nil, Errno(err)
	}
	r := &Raw{ctx: ctx, loop: s.Loop, machine: m, proto: proto, to: bare.Addr(), way: w}
	if frame.IsICMP(proto) {
		r.number = m.listenEcho(echoes{replied: r.take, failed: r.failed})
		return r, nil
	}
	r.number = m.ephemeral(func(p uint16) bool { return m.sockets[p] != nil })
	m.sockets[r.number] = &socket{
		receive: func(from netip.AddrPort, to netip.Addr, data []byte) {
			header := frame.FixedHeader(to)
			b := make([]byte, header+frame.UDPHeader+len(data))
			copy(b[header+frame.UDPHeader:], data)
			frame.PutUDP(b[header:], from.Port(), r.number)
			r.take(frame.PutIP(b, frame.ProtoUDP, defaultTTL, 0, from.Addr(), to))
		},
		failed: r.failed,
	}
	return r, nil
}

// Number returns whose the answers are.
func (r *Raw) Number() uint16 { return r.number }

// Source returns the address that the packets have to come from.
func (r *Raw) Source() netip.Addr { return r.way.src }

// Now returns the time by which those of Send and Receive are to be compared.
func (r *Raw) Now() time.Time { return r.loop.Now() }

// Send sends a packet, of which it takes a copy; one that may not be cut and does not fit the way is refused in the words of ping. A time
// to live of 0 is the host's own. The identification is the host's.
func (r *Raw) Send(packet []byte) (time.Time, error) {
	ip, err := frame.ParseIP(packet)
	if err != nil {
		return r.Now(), err
	}
	whole := r.Whole || ip.Is4() && frame.IPv4(ip).DontFragment()
	if whole && len(ip) > r.way.mtu {
		return r.Now(), fmt.Errorf("local error: message too long, mtu=%d", r.way.mtu)
	}
	r.machine.send(outgoing{proto: r.proto, src: ip.Src(), dst: r.to, ttl: cmp.Or(ip.TTL(), r.way.ttl), dontFragment: whole,
		payload: slices.Clone(ip.Payload())}, r.way.mtu)
	return r.Now(), nil
}

// Receive waits for a packet. The error is ErrTimeout, the context's cause, or ErrOver.
func (r *Raw) Receive(wait time.Duration) (packet []byte, at time.Time, err error) {
	passed := false
	timer := r.loop.After(wait, func() { passed = true })
	defer timer.Stop()
	switch err := r.loop.WaitOr(r.ctx, func() bool { return passed || len(r.in) > 0 }); {
	case err != nil:
		return nil, at, err
	case len(r.in) == 0:
		return nil, at, ErrTimeout
	}
	first := r.in[0]
	r.in = r.in[1:]
	return first.packet, first.at, nil
}

// take takes a packet that has arrived.
func (r *Raw) take(ip frame.IP) {
	if len(r.in) < maxDatagrams {
		r.in = append(r.in, received{slices.Clone(ip), r.loop.Now()})
	}
}

// failed takes an ICMP error about one of its packets.
func (r *Raw) failed(e fault) {
	if mtu := e.mtu(); mtu > 0 {
		r.way.mtu = min(r.way.mtu, mtu)
	}
	r.take(e.packet)
}

// Close closes the socket.
func (r *Raw) Close() {
	if frame.IsICMP(r.proto) {
		delete(r.machine.echoes, r.number)
		return
	}
	delete(r.machine.sockets, r.number)
}

// reassembly puts packets together again for machines (RFC 791 3.2): the gateway's has bounds for each sender. The zero value
// is ready.
type reassembly struct{ waiting []*incomplete } // oldest first

// incomplete is a packet some of whose fragments have come.
type incomplete struct {
	key       frame.FragmentKey
	since     time.Time
	fragments frame.Fragments[frame.IP]
}

// Bounds of the table: packets that wait at once, and how long (RFC 1122 3.3.2, Linux ipfrag_time).
const (
	maxWaiting = 64
	maxWait    = 30 * time.Second
)

// add takes a fragment, and returns the packet once it is whole, else nil. One that contradicts the others ends the packet.
func (t *reassembly) add(ip frame.IP, now time.Time) frame.IP {
	p := t.of(ip, now)
	at, fit := p.fragments.Fit(ip)
	switch fit {
	case frame.Duplicate:
		return nil
	case frame.Contradicts:
		t.forget(p)
		return nil
	}
	p.fragments.Insert(at, ip, slices.Clone(ip))
	total, whole := p.fragments.Whole()
	if !whole {
		return nil
	}
	t.forget(p)
	if total > p.fragments.At(0).FragmentMost() {
		return nil
	}
	return p.fragments.AppendWhole(nil, func(ip frame.IP) frame.IP { return ip })
}

// of finds the packet that a fragment belongs to, or begins it.
func (t *reassembly) of(ip frame.IP, now time.Time) *incomplete {
	t.waiting = slices.DeleteFunc(t.waiting, func(p *incomplete) bool { return now.Sub(p.since) >= maxWait })
	key := frame.FragmentKeyOf(ip)
	for _, p := range t.waiting {
		if p.key == key {
			return p
		}
	}
	if len(t.waiting) == maxWaiting {
		t.waiting = slices.Delete(t.waiting, 0, 1)
	}
	p := &incomplete{key: key, since: now}
	t.waiting = append(t.waiting, p)
	return p
}

func (t *reassembly) forget(gone *incomplete) {
	t.waiting = slices.DeleteFunc(t.waiting, func(p *incomplete) bool { return p == gone })
}
