package station

import (
	"net"
	"net/netip"
	"sync"

	"uswitch/switch/frame"
)

// Addr is the remote address of a connection that was accepted, and who began it.
type Addr struct {
	*net.TCPAddr
	source uint64
}

// Source returns the Source of the frames that began the connection, 0 if it is not known any more.
func (a *Addr) Source() uint64 { return a.source }

// accepted is a connection that knows who began it.
type accepted struct {
	net.Conn
	remote *Addr
}

// RemoteAddr implements net.Conn.
func (a accepted) RemoteAddr() net.Addr { return a.remote }

// senders remembers who has sent the SYNs of connections that are not accepted yet, which netstack does not. Each sender has
// so many places; with one more its own oldest is forgotten.
type senders struct {
	mu   sync.Mutex // guards what follows
	of   map[netip.AddrPort]uint64
	last map[uint64]*[sendersEach]netip.AddrPort
	next map[uint64]int
}

const (
	sendersEach = 64
	sendersMost = 4096 // ports that there ever were; past it all is forgotten
)

// note looks at a packet that comes in.
func (s *senders) note(f frame.Frame) {
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	if err != nil || ip.Proto() != frame.ProtoTCP {
		return
	}
	t, ok := frame.ParseTCP(ip.Payload())
	if !ok || t.Flags()&(frame.SYN|frame.ACK) != frame.SYN {
		return
	}
	from := netip.AddrPortFrom(ip.Src(), t.SrcPort())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.last) >= sendersMost {
		s.of, s.last, s.next = map[netip.AddrPort]uint64{}, map[uint64]*[sendersEach]netip.AddrPort{}, map[uint64]int{}
	}
	if s.of[from] == f.Source {
		return // sent again
	}
	last := s.last[f.Source]
	if last == nil {
		last = new([sendersEach]netip.AddrPort)
		s.last[f.Source] = last
	}
	at := s.next[f.Source] % sendersEach
	if old := last[at]; s.of[old] == f.Source {
		delete(s.of, old)
	}
	last[at], s.of[from] = from, f.Source
	s.next[f.Source]++
}

// take returns who has begun a connection, which is accepted now.
func (s *senders) take(from netip.AddrPort) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.of[from]
	delete(s.of, from)
	return source
}
