package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/switch/frame"
)

var broadcastIP = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// packet describes a packet of either family.
func (h *Head) packet(p frame.IP, n namer) {
	if !p.Src().IsUnspecified() {
		h.From = n.station(p.Src(), h.From)
	}
	switch {
	case p.Dst() == broadcastIP:
		h.To = n.in("everyone")
	case h.To != n.in("everyone"):
		h.To = n.station(p.Dst(), h.To)
	}
	h.Proto = protoWord(n.in, p.Proto())
	if p.FragmentOffset() > 0 {
		h.What = fragmentWords(n.in, p)
		return
	}
	switch p.Proto() {
	case frame.ProtoICMP:
		h.What = icmpWords(n.in, p)
	case frame.ProtoICMPv6:
		h.What = icmp6Words(n.in, p)
	case frame.ProtoTCP:
		h.What = tcpWords(n.in, p)
	case frame.ProtoUDP:
		h.What = udpWords(p, n)
	default:
		h.What = bytesWord(n.in, totalLength(p)-p.HeaderLen())
	}
	if p.MoreFragments() {
		h.What += n.in(", first fragment of packet %d", fragmentID(p))
	}
}

// fragmentWords describes a fragment that is not the first: it has no ports to show.
func fragmentWords(in Language, p frame.IP) string {
	end := p.FragmentOffset() + totalLength(p) - p.HeaderLen()
	which := in("a fragment")
	if !p.MoreFragments() {
		which = in("last fragment")
	}
	return in("%s of packet %d: bytes %s to %s", which, fragmentID(p),
		commas(uint64(p.FragmentOffset())), commas(uint64(max(end-1, 0))))
}

// fragmentID is what the fragments of a packet share.
func fragmentID(p frame.IP) uint32 {
	if p.Is4() {
		return uint32(frame.IPv4(p).ID())
	}
	return frame.IPv6(p).FragmentID()
}

// flagLetters writes control bits in tcpdump's letters and order; a dot is ACK.
func flagLetters(f frame.TCPFlags) string {
	letters := ""
	for _, bit := range []struct {
		flag   frame.TCPFlags
		letter string
	}{
		{frame.FIN, "F"}, {frame.SYN, "S"}, {frame.RST, "R"}, {frame.PSH, "P"},
		{frame.ACK, "."}, {frame.URG, "U"}, {frame.ECE, "E"}, {frame.CWR, "W"},
	} {
		if f&bit.flag != 0 {
			letters += bit.letter
		}
	}
	return or(letters, "none")
}

func udpWords(p frame.IP, n namer) string {
	u, ok := frame.ParseUDP(p.Payload())
	if !ok {
		return cutShort(n.in, p.Payload())
	}
	what := fmt.Sprintf("%d > %d", u.SrcPort(), u.DstPort())
	if u.SrcPort() == dnsPort || u.DstPort() == dnsPort {
		if words, ok := dnsWords(u.Payload(), p.Src(), n); ok {
			return what + ", " + words
		}
	}
	return what + fmt.Sprintf(", len %d", max(u.Length()-frame.UDPHeader, 0))
}

// protoWord names an IP protocol (IANA).
func protoWord(in Language, proto uint8) string {
	switch proto {
	case frame.ProtoICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case frame.ProtoTCP:
		return "TCP"
	case frame.ProtoUDP:
		return "UDP"
	}
	names := map[uint8]string{4: "IP in IP", 41: "IPv6 in IP", 47: "GRE", 50: "ESP", 51: "AH", frame.ProtoICMPv6: "ICMPv6", 88: "EIGRP", 89: "OSPF",
		103: "PIM", 112: "VRRP", 132: "SCTP"}
	return or(names[proto], in("IP protocol %d", proto))
}

func icmpWords(in Language, p frame.IP) string {
	m, ok := frame.ParseICMP(p.Payload())
	if !ok {
		return in("cut short")
	}
	switch m.Type() {
	case frame.ICMPEcho:
		return in("echo request, id %d seq %d, ttl %d", m.ID(), m.Seq(), p.TTL())
	case frame.ICMPEchoReply:
		return in("echo reply, id %d seq %d, ttl %d", m.ID(), m.Seq(), p.TTL())
	}
	format, args := m.Error().Sentence()
	what := in(format, args...)
	if m.IsError() {
		what += aboutWords(in, m)
	}
	return what
}

// aboutWords names the packet that an error quotes, if there is enough of it.
func aboutWords(in Language, m frame.ICMP) string {
	if quoted, ok := frame.ParseClippedIP(m.Payload()); ok {
		return in(", about %s", flowWords(in, quoted))
	}
	return ""
}

// flowWords names the packet that an ICMP error quotes: UDP 11.11.11.2:40000 > 8.8.8.8:53.
func flowWords(in Language, p frame.IP) string {
	t, ok := p.Tuple()
	if !ok {
		return fmt.Sprintf("%s %v > %v", protoWord(in, t.Proto), t.Src(), t.Dst())
	}
	if frame.IsICMP(t.Proto) {
		return fmt.Sprintf("%s %s > %v", protoWord(in, t.Proto), t.Source(), t.Dst())
	}
	return fmt.Sprintf("%s %s > %s", protoWord(in, t.Proto), t.Source(), t.Destination())
}

const dnsPort = 53

// dnsWords reads as much of a DNS message (RFC 1035 4.1) as fits in a head: whether it asks or answers, the first name
// and type asked for, and how many answers came. ok is false for anything that does not look like one.
func dnsWords(b []byte, src netip.Addr, n namer) (words string, ok bool) {
	const header = 12
	if len(b) < header || binary.BigEndian.Uint16(b[4:6]) == 0 {
		return "", false
	}
	answer, code, answers := b[2]&0x80 != 0, b[3]&15, binary.BigEndian.Uint16(b[6:8])
	name, rest, ok := dnsName(b[header:])
	if !ok || len(rest) < 4 {
		return "", false
	}
	question := n.in("%s of %s", dnsType(n.in, binary.BigEndian.Uint16(rest[0:2])), name)
	switch {
	case !answer:
		return n.in("asks for the %s", question) + n.unknown(src, name), true
	case code == 3:
		return n.in("no such name: %s", name), true
	case code != 0:
		return n.in("refuses the %s (code %d)", question, code), true
	case answers == 1:
		return n.in("tells the %s: 1 record", question), true
	}
	return n.in("tells the %s: %d records", question, answers), true
}

// dnsName reads the name that a question begins with. A question is never compressed in practice.
func dnsName(b []byte) (name string, rest []byte, ok bool) {
	const maxName = 255 // RFC 1035 2.3.4
	var labels []string
	for total := 0; len(b) > 0 && total <= maxName; {
		n := int(b[0])
		if n == 0 {
			return or(strings.Join(labels, "."), "."), b[1:], true
		}
		if n > 63 || 1+n > len(b) {
			return "", nil, false
		}
		labels = append(labels, string(b[1:1+n]))
		b, total = b[1+n:], total+1+n
	}
	return "", nil, false
}

func dnsType(in Language, t uint16) string {
	names := map[uint16]string{1: in("address"), 2: in("name server"), 5: in("alias"), 6: "SOA", 12: in("name"), 15: in("mail server"), 16: in("text"),
		28: in("IPv6 address"), 33: in("service"), 65: in("HTTPS record"), 255: in("everything")}
	return or(names[t], in("type %d", t))
}

// icmp6Types name a message by its type (IANA ICMPv6 parameters).
var icmp6Types = map[uint8]string{
	frame.ICMPv6Unreachable: Key("unreachable"), frame.ICMPv6TooBig: Key("too big"), frame.ICMPv6TimeExceeded: Key("hop limit exceeded"),
	frame.ICMPv6ParamProblem: Key("header problem"), frame.ICMPv6Echo: Key("echo request"), frame.ICMPv6EchoReply: Key("echo reply"),
	frame.ICMPv6MLDQuery: Key("multicast listener query"), frame.ICMPv6MLDReport: Key("multicast listener report"),
	frame.ICMPv6MLDDone: Key("multicast listener done"), frame.ICMPv6RouterSolicit: Key("router solicitation: is there a router?"),
	frame.ICMPv6RouterAdvert: Key("router advertisement"), frame.ICMPv6Redirect: Key("redirect: there is a shorter way"),
	frame.ICMPv6MLD2Report: Key("multicast listener report"),
}

// unreachable6 are the codes of Destination Unreachable (RFC 4443 3.1).
var unreachable6 = [...]string{Key("no route to the destination"), Key("forbidden by a filter"), Key("beyond the scope of the source address"),
	Key("address unreachable"), Key("port unreachable"), Key("forbidden by a policy"), Key("a route rejects it")}

// icmp6Words describe an ICMPv6 message.
func icmp6Words(in Language, p frame.IP) string {
	m, ok := frame.ParseICMP(p.Payload())
	if !ok {
		return in("cut short")
	}
	name := in(icmp6Types[m.Type()])
	if name == "" {
		name = in("type %d code %d", m.Type(), m.Code())
	}
	switch {
	case m.Type() == frame.ICMPv6Echo || m.Type() == frame.ICMPv6EchoReply:
		return name + in(", id %d seq %d, hop limit %d", m.ID(), m.Seq(), p.TTL())
	case m.Type() == frame.ICMPv6Unreachable && int(m.Code()) < len(unreachable6):
		return in(unreachable6[m.Code()]) + aboutWords(in, m)
	case m.Type() == frame.ICMPv6TooBig:
		return in("too big: at most %d bytes fit%s", binary.BigEndian.Uint32(m[4:]), aboutWords(in, m))
	case m.Type() == frame.ICMPv6TimeExceeded && m.Code() == 1:
		return in("fragments missing for too long") + aboutWords(in, m)
	case m.Type() < frame.ICMPv6Echo:
		return name + aboutWords(in, m)
	case (m.Type() == frame.ICMPv6Solicit || m.Type() == frame.ICMPv6Advert) && len(m) >= 24:
		return neighborWords(in, m, p.Src())
	}
	return name
}

// neighborWords describe what ARP says in IPv4.
func neighborWords(in Language, m frame.ICMP, src netip.Addr) string {
	target := netip.AddrFrom16([16]byte(m[8:24]))
	switch {
	case m.Type() == frame.ICMPv6Solicit && src.IsUnspecified():
		return in("neighbor solicitation: who has %v? (a probe: may I have it?)", target)
	case m.Type() == frame.ICMPv6Solicit:
		return in("neighbor solicitation: who has %v? tell %v", target, src)
	case len(m) >= 32 && m[24] == 2:
		return in("neighbor advertisement: %v is at %v", target, frame.MAC(m[26:32]))
	}
	return in("neighbor advertisement: %v is here", target)
}
