package frame_test

import (
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"uswitch/switch/frame"
)

// FuzzViews parses whatever comes: no view panics, and where gopacket reads a layer too, both read the same.
func FuzzViews(f *testing.F) {
	for _, fixture := range []string{arpHex, pingHex, dnsHex, synHex} {
		f.Add(fromHex(f, fixture))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, ok := frame.ParseEthernet(data)
		if !ok {
			return
		}
		var eth layers.Ethernet
		if eth.DecodeFromBytes(data, gopacket.NilDecodeFeedback) == nil {
			same(t, "MACs", [2]frame.MAC{e.Dst(), e.Src()}, [2]frame.MAC{frame.MAC(eth.DstMAC), frame.MAC(eth.SrcMAC)})
		}
		if a, ok := frame.ParseARP(e.Payload()); ok {
			compareARP(t, a)
		}
		if p, err := frame.ParseIPv4(e.Payload()); err == nil {
			compareIPv4(t, p)
		}
	})
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, gopacket says %v", what, got, want)
	}
}

func compareARP(t *testing.T, a frame.ARP) {
	var other layers.ARP
	if err := other.DecodeFromBytes(a, gopacket.NilDecodeFeedback); err != nil {
		t.Fatalf("gopacket refuses ARP that we accept: %v", err)
	}
	same(t, "operation", a.Op(), other.Operation)
	same(t, "sender", a.SenderMAC(), frame.MAC(other.SourceHwAddress))
	same(t, "target", a.TargetMAC(), frame.MAC(other.DstHwAddress))
	same(t, "sender IP", a.SenderIP(), netip.AddrFrom4([4]byte(other.SourceProtAddress)))
	same(t, "target IP", a.TargetIP(), netip.AddrFrom4([4]byte(other.DstProtAddress)))
}

func compareIPv4(t *testing.T, p frame.IPv4) {
	sum := p.ChecksumOK()
	same(t, "checksum", sum, naive(p[:p.HeaderLen()], 0) == 0)
	frame.TupleOf(p)
	var other layers.IPv4
	// gopacket also reads the options, and refuses some that nobody has to read.
	if err := other.DecodeFromBytes(p, gopacket.NilDecodeFeedback); err == nil {
		same(t, "header length", p.HeaderLen(), int(other.IHL)*4)
		same(t, "TOS", p.TOS(), other.TOS)
		same(t, "id", p.ID(), other.Id)
		same(t, "DF", p.DontFragment(), other.Flags&layers.IPv4DontFragment != 0)
		same(t, "MF", p.MoreFragments(), other.Flags&layers.IPv4MoreFragments != 0)
		same(t, "offset", p.FragmentOffset(), int(other.FragOffset)*8)
		same(t, "ttl", p.TTL(), other.TTL)
		same(t, "protocol", p.Proto(), uint8(other.Protocol))
		same(t, "source", p.Src(), netip.AddrFrom4([4]byte(other.SrcIP)))
		same(t, "destination", p.Dst(), netip.AddrFrom4([4]byte(other.DstIP)))
		same(t, "payload", string(p.Payload()), string(other.Payload))
	}
	compareTransport(t, p.Payload())
}

// compareTransport reads a payload as everything that it could be.
func compareTransport(t *testing.T, b []byte) {
	if u, ok := frame.ParseUDP(b); ok {
		var other layers.UDP
		if other.DecodeFromBytes(b, gopacket.NilDecodeFeedback) == nil {
			same(t, "UDP ports", [2]uint16{u.SrcPort(), u.DstPort()}, [2]uint16{uint16(other.SrcPort), uint16(other.DstPort)})
			same(t, "UDP length", u.Length(), int(other.Length))
			same(t, "UDP checksum", u.Checksum(), other.Checksum)
		}
	}
	if m, ok := frame.ParseICMP(b); ok {
		var other layers.ICMPv4
		if other.DecodeFromBytes(b, gopacket.NilDecodeFeedback) == nil {
			same(t, "ICMP type", [2]uint8{m.Type(), m.Code()}, [2]uint8{other.TypeCode.Type(), other.TypeCode.Code()})
			same(t, "ICMP id", [2]uint16{m.ID(), m.Seq()}, [2]uint16{other.Id, other.Seq})
		}
		m.ChecksumOK()
	}
	if s, ok := frame.ParseTCP(b); ok {
		var other layers.TCP
		if other.DecodeFromBytes(b, gopacket.NilDecodeFeedback) == nil {
			same(t, "TCP ports", [2]uint16{s.SrcPort(), s.DstPort()}, [2]uint16{uint16(other.SrcPort), uint16(other.DstPort)})
			same(t, "TCP numbers", [2]uint32{s.Seq(), s.Ack()}, [2]uint32{other.Seq, other.Ack})
			same(t, "TCP header", s.HeaderLen(), int(other.DataOffset)*4)
			same(t, "TCP window", s.Window(), other.Window)
			same(t, "SYN, ACK, RST", [3]bool{s.Flags()&frame.SYN != 0, s.Flags()&frame.ACK != 0, s.Flags()&frame.RST != 0}, [3]bool{other.SYN, other.ACK, other.RST})
			same(t, "TCP payload", string(s.Payload()), string(other.Payload))
		}
	}
}
