package names

import (
	"encoding/binary"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// Deliver implements nat.Socket: it takes a question over UDP.
func (s *Server) Deliver(f frame.Frame, now time.Time) {
	from, to, question, ok := readUDP(f)
	if !ok {
		return
	}
	answer, later := s.answer(from.Addr(), hostOf(f.Source, from.Addr()), question)
	if later != nil {
		go func() {
			if answer := later(); answer != nil {
				s.send(to, from, answer, s.config.Now())
			}
		}()
		return
	}
	if answer != nil {
		s.send(to, from, answer, now)
	}
}

// Hears implements nat.Choosy: the server is there for the lab's own networks, on each at the gateway's address there.
func (s *Server) Hears(src, dst netip.Addr) bool {
	z := s.zone.Load()
	n := z.around(src)
	return n != nil && n == z.around(dst)
}

// readUDP returns who says what to whom. What is no datagram is not for a name server: errors about answers, and streams
// of datagrams that the sender left for its network card to cut.
func readUDP(f frame.Frame) (from, to netip.AddrPort, data []byte, ok bool) {
	if len(f.Data) < frame.EthernetHeader || f.Offload.GSO != frame.GSONone {
		return from, to, nil, false
	}
	ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
	if err != nil || ip.Proto() != frame.ProtoUDP {
		return from, to, nil, false
	}
	u, ok := frame.ParseUDP(ip.Payload())
	if !ok || u.Length() < frame.UDPHeader || u.Length() > len(u) {
		return from, to, nil, false
	}
	return netip.AddrPortFrom(ip.Src(), u.SrcPort()), netip.AddrPortFrom(ip.Dst(), u.DstPort()), u[frame.UDPHeader:u.Length()], true
}

// defaultTTL is net.ipv4.ip_default_ttl.
const defaultTTL = 64

// send sends a datagram. It may be fragmented on its way, so that it has an identification.
func (s *Server) send(from, to netip.AddrPort, data []byte, now time.Time) {
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.UDPHeader+len(data))
	ip := b[frame.EthernetHeader:]
	u := ip[frame.IPv4Header:]
	binary.BigEndian.PutUint16(u[0:], from.Port())
	binary.BigEndian.PutUint16(u[2:], to.Port())
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	copy(u[frame.UDPHeader:], data)
	sum := frame.Checksum(u, frame.PseudoHeader(frame.ProtoUDP, from.Addr(), to.Addr(), len(u)))
	if sum == 0 {
		sum = 0xffff // 0 would mean that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(u[6:], sum)
	frame.PutIPv4(ip, frame.ProtoUDP, defaultTTL, uint16(s.ids.Add(1)), from.Addr(), to.Addr())
	s.config.Gateway.Originate(frame.Frame{Data: b}, now)
}
