package trace

import (
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

var broadcastIP = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func (h *Head) ipv4(p frame.IPv4, n namer) {
	if !p.Src().IsUnspecified() {
		h.From = n.ip(p.Src())
	}
	switch {
	case p.Dst() == broadcastIP:
		h.To = "everyone"
	case h.To != "everyone":
		h.To = n.ip(p.Dst())
	}
	h.Proto = protoWord(p.Proto())
	if p.FragmentOffset() > 0 {
		h.What = fragmentWords(p)
		return
	}
	switch p.Proto() {
	case frame.ProtoICMP:
		h.What = icmpWords(p)
	case frame.ProtoTCP:
		h.What = tcpWords(p)
	case frame.ProtoUDP:
		h.What = udpWords(p, n)
	default:
		h.What = bytesWord(totalLength(p) - p.HeaderLen())
	}
	if p.MoreFragments() {
		h.What += fmt.Sprintf(", first fragment of packet %d", p.ID())
	}
}

// fragmentWords describes a fragment that is not the first: it has no ports to show.
func fragmentWords(p frame.IPv4) string {
	end := p.FragmentOffset() + totalLength(p) - p.HeaderLen()
	which := "a fragment"
	if !p.MoreFragments() {
		which = "last fragment"
	}
	return fmt.Sprintf("%s of packet %d: bytes %s to %s", which, p.ID(),
		commas(uint64(p.FragmentOffset())), commas(uint64(max(end-1, 0))))
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

func udpWords(p frame.IPv4, n namer) string {
	u, ok := frame.ParseUDP(p.Payload())
	if !ok {
		return cutShort(p.Payload())
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
func protoWord(proto uint8) string {
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
	names := map[uint8]string{4: "IP in IP", 41: "IPv6 in IP", 47: "GRE", 50: "ESP", 51: "AH", protoICMPv6: "ICMPv6", 88: "EIGRP", 89: "OSPF",
		103: "PIM", 112: "VRRP", 132: "SCTP"}
	return or(names[proto], fmt.Sprintf("IP protocol %d", proto))
}
