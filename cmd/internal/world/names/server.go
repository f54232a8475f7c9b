package names

import (
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
	// Now is the clock of answers that took time; nil means time.Now.
	Now func() time.Time
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
	if c.Now == nil {
		c.Now = time.Now
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
