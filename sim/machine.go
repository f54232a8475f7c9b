package sim

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/netip"

	"uswitch/switch/frame"
)

// Machine is a computer from IP upwards: it answers pings, serves UDP and TCP, and runs a few programs. A Host is a
// machine on a cable, a server of the Internet one behind routers. It belongs to its scheduler's goroutine.
type Machine struct {
	time   Scheduler
	random *rand.Rand
	net    network

	lastID    uint16                // of IP packets
	lastEcho  uint16                // identifier of pings
	lastPort  uint16                // ephemeral port
	wanted    uint16                // the port that the next question is to come from, if it is free; 0: any
	echoes    map[uint16]echoes     // by identifier
	sockets   map[uint16]*socket    // UDP, by port
	services  map[uint16]Service    // TCP, by port
	listeners map[uint16]listener   // TCP, by port
	conns     map[frame.Tuple]*conn // TCP, by the tuple of what this machine sends
	fragments reassembly
	settings  Settings
	paths     map[netip.Addr]int // bytes that fit the way to an address of IPv6, where a router has said so
}

// network is what a machine stands on.
type network interface {
	// owns reports whether the address is the machine's own.
	owns(netip.Addr) bool
	// source returns how a packet leaves: of what protocol and where to, and where from, unless that is to be chosen. The
	// error is ErrNoRoute, or another one in the kernel's words.
	source(frame.Tuple) (way, error)
	// transmit takes a packet, with EthernetHeader bytes of room in front, as its own. It never calls back before it
	// returns.
	transmit(packet []byte)
}

// way is how a packet leaves a machine.
type way struct {
	src netip.Addr
	mtu int   // bytes
	ttl uint8 // 0: the machine's
}

// toward is the tuple of a packet whose source is to be chosen.
func toward(proto uint8, dst netip.AddrPort) frame.Tuple {
	return frame.Tuple{Proto: proto, DstIP: frame.AddrOf(dst.Addr()), DstPort: dst.Port()}
}

// zoned is a network that knows the zones of link-local addresses: the names of its interfaces (RFC 4007 11).
type zoned interface {
	// linkLocal returns the address that what goes to a neighbour by an interface comes from.
	linkLocal(zone string) (netip.Addr, error)
}

// toward finds the way to dst, which is returned without the zone that it may have.
func (m *Machine) toward(proto uint8, dst netip.AddrPort) (w way, bare netip.AddrPort, err error) {
	bare = netip.AddrPortFrom(dst.Addr().WithZone(""), dst.Port())
	t := toward(proto, bare)
	if zone := dst.Addr().Zone(); zone != "" {
		z, ok := m.net.(zoned)
		if !ok {
			return way{}, bare, ErrNoRoute
		}
		src, err := z.linkLocal(zone)
		if err != nil {
			return way{}, bare, err
		}
		t.SrcIP = frame.AddrOf(src)
	}
	w, err = m.net.source(t)
	w.mtu = m.fits(bare.Addr(), w.mtu)
	return w, bare, err
}

// fits is how large a packet may be that goes to an address: mtu bytes, unless a router has asked for less.
func (m *Machine) fits(dst netip.Addr, mtu int) int {
	if less, ok := m.paths[dst]; ok {
		return min(less, mtu)
	}
	return mtu
}

// ErrNoRoute is what a machine says when it has no route to an address (ENETUNREACH).
var ErrNoRoute = errors.New("network is unreachable")

// ErrTooLong is what a machine says of a packet that may not be cut and does not fit (EMSGSIZE).
var ErrTooLong = errors.New("message too long")

// defaultTTL is net.ipv4.ip_default_ttl.
const defaultTTL = 64

func newMachine(s Scheduler, random *rand.Rand, n network) *Machine {
	return &Machine{time: s, random: random, net: n, lastPort: firstPort - 1, echoes: map[uint16]echoes{},
		sockets: map[uint16]*socket{}, services: map[uint16]Service{}, listeners: map[uint16]listener{}, conns: map[frame.Tuple]*conn{},
		paths: map[netip.Addr]int{}}
}

// input takes an IP packet that has arrived, with bytes that may be kept. toGroup says that the frame around it was for
// everyone.
func (m *Machine) input(b []byte, toGroup bool) {
	if ip, ok := parse(b); ok && m.net.owns(ip.Dst()) {
		m.take(ip, toGroup)
	}
}

// parse returns the view of a packet of either family whose header is right.
func parse(b []byte) (frame.IP, bool) {
	ip, err := frame.ParseIP(b)
	return ip, err == nil && (!ip.Is4() || frame.IPv4(ip).ChecksumOK())
}

// take takes a packet that is the machine's own, or for a group.
func (m *Machine) take(ip frame.IP, toGroup bool) {
	if ip.IsFragment() {
		if ip = m.fragments.add(ip, m.time.Now()); ip == nil {
			return
		}
	}
	switch proto := ip.Proto(); {
	case ip.IsICMP():
		m.inputICMP(ip, toGroup)
	case proto == frame.ProtoUDP:
		m.inputUDP(ip, toGroup)
	case proto == frame.ProtoTCP:
		if !toGroup {
			m.inputTCP(ip)
		}
	case !ip.Is4() && proto == frame.ProtoNoNext:
	default:
		m.sendError(ip, toGroup, frame.ICMPUnreachable, frame.UnreachableProtocol, 0)
	}
}

// outgoing is a packet to be sent.
type outgoing struct {
	proto        uint8
	src, dst     netip.Addr // of one family
	ttl          uint8      // 0: defaultTTL
	dontFragment bool
	payload      []byte
}

// send sends a packet, in pieces if it is larger than mtu bytes, or than what fits the way.
func (m *Machine) send(o outgoing, mtu int) {
	if o.dst.Is4() {
		o.ttl = cmp.Or(o.ttl, m.settings.TTL)
	}
	m.lastID++
	header := frame.FixedHeader(o.dst)
	b := make([]byte, frame.EthernetHeader+header+len(o.payload))
	copy(b[frame.EthernetHeader+header:], o.payload)
	ip := frame.PutIP(b[frame.EthernetHeader:], o.proto, cmp.Or(o.ttl, defaultTTL), m.lastID, o.src, o.dst)
	switch {
	case !ip.Is4() && ip.IsICMP():
		ip.SetICMPChecksum() // which covers the addresses
	case ip.Is4():
		frame.IPv4(ip).SetFragment(o.dontFragment, false, 0)
		ip.SetChecksum()
	}
	if mtu = m.fits(o.dst, mtu); len(ip) <= mtu {
		m.net.transmit(b)
		return
	}
	for _, piece := range cut(ip, mtu, uint32(m.lastID)) {
		m.net.transmit(piece)
	}
}

// answer sends a payload back to where a packet came from.
func (m *Machine) answer(to frame.IP, payload []byte) {
	t := frame.Tuple{Proto: to.Proto(), SrcIP: frame.AddrOf(to.Dst()), DstIP: frame.AddrOf(to.Src())}
	if to.Dst().IsMulticast() || !m.net.owns(to.Dst()) {
		t.SrcIP = frame.Addr{} // a group is no source
	}
	if w, err := m.net.source(t); err == nil {
		src := t.Src()
		if src.IsUnspecified() {
			src = w.src
		}
		m.send(outgoing{proto: to.Proto(), src: src, dst: to.Src(), ttl: w.ttl, payload: payload}, w.mtu)
	}
}

// Ephemeral ports, net.ipv4.ip_local_port_range.
const (
	firstPort = 32768
	lastPort  = 60999
)

// ephemeral returns a port that nobody uses, one after the other.
func (m *Machine) ephemeral(taken func(uint16) bool) uint16 {
	if m.wanted != 0 && !taken(m.wanted) {
		return m.wanted
	}
	for {
		m.lastPort++
		if m.lastPort > lastPort {
			m.lastPort = firstPort
		}
		if !taken(m.lastPort) {
			return m.lastPort
		}
	}
}
