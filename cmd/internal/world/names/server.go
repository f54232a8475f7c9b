package names

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"uswitch/switch/frame"
)

// Port is where a name server listens.
const Port = 53

// Gateway is what a Server needs of the gateway whose program it is; a nat.Gateway is one.
type Gateway interface {
	Originate(f frame.Frame, now time.Time)
}

// Config describes a Server.
type Config struct {
	Gateway Gateway // required
	// Forwarder asks for what is not the lab's. Nil: nobody is asked, and such questions are refused.
	Forwarder *Forwarder
	Clock     Clock // nil: this machine's
}

// Clock is what a Server waits by.
type Clock interface {
	Now() time.Time
	// Go runs f beside all else.
	Go(f func())
	// Outside runs f, which waits for somebody outside.
	Outside(f func())
	// WithTimeout returns a context that ends after d, with cause.
	WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, func())
}

// wall is this machine's clock.
type wall struct{}

func (wall) Now() time.Time   { return time.Now() }
func (wall) Go(f func())      { go f() }
func (wall) Outside(f func()) { f() }
func (wall) WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, func()) {
	ctx, cancel := context.WithTimeoutCause(ctx, d, cause)
	return ctx, cancel
}

// Server answers for a lab. Its methods may be called from many goroutines.
type Server struct {
	config Config
	zone   atomic.Pointer[zone]
	turn   atomic.Uint32 // how many answers with addresses there were
	ids    atomic.Uint32 // the last IP identification that was used
}

// NewServer returns a Server that knows nobody yet.
func NewServer(c Config) *Server {
	if c.Clock == nil {
		c.Clock = wall{}
	}
	s := &Server{config: c}
	s.zone.Store(nobody)
	return s
}

// Set makes r what the server knows, from the next question on.
func (s *Server) Set(r Records) { s.zone.Store(newZone(r)) }

// answer answers a question that came over UDP, in bytes; nil for bytes that are not to be answered. If somebody outside has
// to be asked, later is what does that and waits.
func (s *Server) answer(from netip.Addr, who host, question []byte) (answer []byte, later func() []byte) {
	q := new(dns.Msg)
	err := q.Unpack(question)
	if q.Response || err != nil && len(question) < headerSize {
		return nil, nil // an answer to nobody's question, or noise
	}
	if err != nil {
		return packed(new(dns.Msg).SetRcodeFormatError(q), minUDP), nil
	}
	reply, wait := s.reply(from, who, "udp", q)
	if wait != nil {
		return nil, func() []byte { return packed(wait(), room(q)) }
	}
	return packed(reply, room(q)), nil
}

// reply answers a question: at once if it is about the lab, or not allowed, and else by the wait for somebody outside.
func (s *Server) reply(from netip.Addr, who host, network string, q *dns.Msg) (reply *dns.Msg, wait func() *dns.Msg) {
	z, f := s.zone.Load(), s.config.Forwarder
	if f != nil && f.loops.heard(q) {
		return refuse(q, dns.ExtendedErrorCodeProhibited, "the question has come back to where it was asked first"), nil
	}
	if reply := z.answer(from, q, func() int { return int(s.turn.Add(1)) }); reply != nil {
		return reply, nil
	}
	switch a := z.asker(from); {
	case !a.outward:
		return refuse(q, dns.ExtendedErrorCodeProhibited, "an internal network: nobody outside the lab is asked"), nil
	case f == nil:
		return refuse(q, dns.ExtendedErrorCodeProhibited, "the lab has no way out: nobody outside is asked"), nil
	default:
		return f.begin(who, a.resolvers, network, q)
	}
}

// host is whose limits a question counts for: who sends it, as the frame's Source says, whatever addresses it has; where that
// is not known, its address.
type host struct {
	source uint64
	addr   netip.Addr
}

func hostOf(source uint64, addr netip.Addr) host {
	if source != 0 {
		return host{source: source}
	}
	return host{addr: addr}
}

// headerSize is the length of a message's header, in bytes (RFC 1035 4.1.1).
const headerSize = 12

// packed returns a reply's bytes. What cannot be packed gets no answer.
func packed(reply *dns.Msg, size int) []byte {
	b, err := pack(reply, size)
	if err != nil {
		return nil
	}
	return b
}

// Deliver implements nat.Socket: it takes a question over UDP.
func (s *Server) Deliver(f frame.Frame, now time.Time) {
	from, to, question, ok := readUDP(f)
	if !ok {
		return
	}
	answer, later := s.answer(from.Addr(), hostOf(f.Source, from.Addr()), question)
	if later != nil {
		s.config.Clock.Go(func() {
			var answer []byte
			s.config.Clock.Outside(func() { answer = later() })
			if answer != nil {
				s.send(to, from, answer, s.config.Clock.Now())
			}
		})
		return
	}
	if answer != nil {
		s.send(to, from, answer, now)
	}
}

// Accepts implements nat.Selective: the server is there for the lab's own networks, on each at the gateway's address there.
func (s *Server) Accepts(src, dst netip.Addr) bool {
	z := s.zone.Load()
	n := z.around(src)
	return n != nil && n == z.around(dst)
}

// readUDP returns who says what to whom. What is no datagram is not for a name server: errors about answers, and streams
// of datagrams that the sender left for its network interface to cut.
func readUDP(f frame.Frame) (from, to netip.AddrPort, data []byte, ok bool) {
	if len(f.Data) < frame.EthernetHeader || f.Offload.GSO != frame.GSONone {
		return from, to, nil, false
	}
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	if err != nil || ip.Proto() != frame.ProtoUDP {
		return from, to, nil, false
	}
	u, ok := frame.ParseUDP(ip.Payload())
	if !ok || u.Length() < frame.UDPHeader || u.Length() > len(u) {
		return from, to, nil, false
	}
	return netip.AddrPortFrom(ip.Src(), u.SrcPort()), netip.AddrPortFrom(ip.Dst(), u.DstPort()), u[frame.UDPHeader:u.Length()], true
}

// defaultTTL is net.ipv4.ip_default_ttl and net.ipv6.conf.default.hop_limit.
const defaultTTL = 64

// send sends a datagram. It may be fragmented on its way, so that it has an identification.
func (s *Server) send(from, to netip.AddrPort, data []byte, now time.Time) {
	header := frame.FixedHeader(from.Addr())
	b := make([]byte, frame.EthernetHeader+header+frame.UDPHeader+len(data))
	ip := b[frame.EthernetHeader:]
	copy(ip[header+frame.UDPHeader:], data)
	frame.PutUDP(ip[header:], from.Port(), to.Port()).SetChecksum(from.Addr(), to.Addr())
	frame.PutIP(ip, frame.ProtoUDP, defaultTTL, uint16(s.ids.Add(1)), from.Addr(), to.Addr())
	s.config.Gateway.Originate(frame.Frame{Data: b}, now)
}
