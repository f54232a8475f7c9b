package frame

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var builderSrc, builderDst = netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("198.51.100.9")

// encode is how gopacket writes a packet: an encoder that knows nothing of ours.
func encode(t *testing.T, proto layers.IPProtocol, layer gopacket.SerializableLayer, payload []byte) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 63, Id: 7, Protocol: proto, SrcIP: builderSrc.AsSlice(), DstIP: builderDst.AsSlice()}
	switch l := layer.(type) {
	case *layers.TCP:
		_ = l.SetNetworkLayerForChecksum(ip)
	case *layers.UDP:
		_ = l.SetNetworkLayerForChecksum(ip)
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, layer, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBuildersWriteWhatAnotherEncoderWrites(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 64 {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		sport, dport := uint16(random.Uint32()), uint16(random.Uint32())
		seq, ack, mss := random.Uint32(), random.Uint32(), uint16(random.Uint32())|1

		build := func(header int, proto uint8, put func(b []byte)) []byte {
			b := bytes.Repeat([]byte{0xee}, IPv4Header+header+n) // what stood there before must not shine through
			copy(b[IPv4Header+header:], data)
			put(b[IPv4Header:])
			return PutIPv4(b, proto, 63, 7, builderSrc, builderDst)
		}
		udp := build(UDPHeader, ProtoUDP, func(b []byte) { PutUDP(b, sport, dport).SetChecksum(builderSrc, builderDst) })
		if want := encode(t, layers.IPProtocolUDP, &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}, data); !bytes.Equal(udp, want) {
			t.Errorf("UDP of %d bytes:\n%x, want\n%x", n, udp, want)
		}
		if !UDP(udp[IPv4Header:]).ChecksumOK(builderSrc, builderDst) || UDP(udp[IPv4Header:]).ChecksumOK(builderSrc, builderSrc) {
			t.Error("UDP's checksum is not judged rightly")
		}
		fields := TCPFields{SrcPort: sport, DstPort: dport, Seq: seq, Ack: ack, Flags: SYN | ACK, Window: 4711, MSS: mss}
		tcp := build(fields.HeaderLen(), ProtoTCP, func(b []byte) { PutTCP(b, fields).SetChecksum(builderSrc, builderDst) })
		other := &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: seq, Ack: ack, SYN: true, ACK: true, Window: 4711,
			Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: binary.BigEndian.AppendUint16(nil, mss)}}}
		if want := encode(t, layers.IPProtocolTCP, other, data); !bytes.Equal(tcp, want) {
			t.Errorf("TCP of %d bytes:\n%x, want\n%x", n, tcp, want)
		}
		echo := build(ICMPHeader, ProtoICMP, func(b []byte) { PutEcho(b, ICMPEcho, sport, dport) })
		if want := encode(t, layers.IPProtocolICMPv4, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: sport, Seq: dport}, data); !bytes.Equal(echo, want) {
			t.Errorf("an echo of %d bytes:\n%x, want\n%x", n, echo, want)
		}
		ICMP(echo[IPv4Header:]).TurnEcho()
		if want := encode(t, layers.IPProtocolICMPv4, &layers.ICMPv4{Id: sport, Seq: dport}, data); !bytes.Equal(echo, want) {
			t.Errorf("its reply:\n%x, want\n%x", echo, want)
		}

		// The option comes in where there was none, and changes where it is.
		fields.MSS = 0
		bare := &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: seq, SYN: true, Window: 4711}
		with := append(encode(t, layers.IPProtocolTCP, bare, nil), make([]byte, MSSRoom)...)
		InsertMSS(with, mss)
		bare.Options = other.Options
		if want := encode(t, layers.IPProtocolTCP, bare, nil); !bytes.Equal(with, want) {
			t.Errorf("with the option put in:\n%x, want\n%x", with, want)
		}
		bare.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{0x12, 0x34}}, {OptionType: layers.TCPOptionKindNop}}
		odd := encode(t, layers.IPProtocolTCP, bare, data)
		TCP(odd[IPv4Header:]).SetMSS(mss, false)
		if got, ok := TCP(odd[IPv4Header:]).MSS(); !ok || got != mss || !TCP(odd[IPv4Header:]).ChecksumOK(builderSrc, builderDst) {
			t.Errorf("the option is %d, %v; its checksum %v", got, ok, TCP(odd[IPv4Header:]).ChecksumOK(builderSrc, builderDst))
		}
	}
}

func TestErrorsQuote(t *testing.T) {
	for _, n := range []int{0, 7, 8, 100, 547, 548, 549, 1400} {
		about := PutIPv4(bytes.Repeat([]byte{0xab}, IPv4Header+n), ProtoUDP, 1, 9, builderSrc, builderDst)
		room := []byte("before")
		b := ICMPError{Type: ICMPUnreachable, Code: UnreachableTooBig, MTU: 1400}.Append(room, about)
		m := ICMP(b[len(room):])
		if !m.ChecksumOK() || m.Type() != ICMPUnreachable || m.Code() != UnreachableTooBig || m.MTU() != 1400 {
			t.Errorf("%d bytes: %x", n, b)
		}
		if IPv4Header+len(m) > 576 || len(m) < min(len(about), 548)+ICMPHeader {
			t.Errorf("%d bytes of an error about %d", len(m), len(about))
		}
		quote, ok := m.Quote()
		if ok != (n >= 8) || ok && !bytes.Equal(quote, about[:len(quote)]) {
			t.Errorf("it quotes %x, %v", quote, ok)
		}
	}
	if m := ICMP(ICMPError{Type: ICMPParamProblem, Pointer: 21}.Append(nil, make([]byte, 28))); m[4] != 21 {
		t.Errorf("the pointer is not there: %x", m)
	}
	if _, ok := PutEcho(make([]byte, 100), ICMPEcho, 1, 1).Quote(); ok {
		t.Error("an echo quotes nothing")
	}
}

// TestFragmentsBecomeOneAgain cuts packets, with options and without, and cuts fragments once more; and puts them together in
// any order.
func TestFragmentsBecomeOneAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		n := 1 + random.IntN(5000)
		options := []byte{0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0} // router alert is copied, record route is not
		if random.IntN(2) == 0 {
			options = nil
		}
		b := make([]byte, IPv4Header+len(options)+n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		p := PutIPv4(b, ProtoUDP, 64, 1, builderSrc, builderDst)
		copy(p[IPv4Header:], options)
		p[0] = byte(0x40 | (IPv4Header+len(options))/4)
		p.SetChecksum()

		var pieces []IPv4
		for _, mtu := range []int{68 + random.IntN(1500), 68} {
			from := pieces
			if pieces = nil; from == nil {
				from = []IPv4{p}
			}
			for _, whole := range from {
				for offset := 0; offset < len(whole.Payload()); {
					var b []byte
					b, offset = whole.AppendFragment(nil, offset, whole.FragmentRoom(mtu))
					piece, err := ParseIPv4(b)
					if err != nil || len(b) > mtu || !piece.ChecksumOK() {
						t.Fatalf("a fragment of %d bytes for %d: %v", len(b), mtu, err)
					}
					if options != nil && piece.FragmentOffset() > 0 && !bytes.Equal(piece.Options(), options[:4]) {
						t.Fatalf("a later fragment has the options %x", piece.Options())
					}
					pieces = append(pieces, piece)
				}
			}
		}
		var f Fragments[IPv4]
		for i, at := range random.Perm(len(pieces)) {
			if _, whole := f.Whole(); whole {
				t.Fatalf("whole with %d of %d", i, len(pieces))
			}
			place, fit := f.Fit(IP(pieces[at]))
			if fit != Fits {
				t.Fatalf("fragment %d: %v", at, fit)
			}
			f.Insert(place, IP(pieces[at]), pieces[at])
			if _, fit := f.Fit(IP(pieces[at])); fit != Duplicate {
				t.Fatalf("the same fragment again: %v", fit)
			}
		}
		if total, whole := f.Whole(); !whole || total != n {
			t.Fatalf("%d bytes, %v; want %d", total, whole, n)
		}
		if again := f.AppendWhole(nil, func(p IPv4) IP { return IP(p) }); !bytes.Equal(again, p) {
			t.Fatal("it is another packet now")
		}
	}
}

func TestFragmentsThatContradict(t *testing.T) {
	fragment := func(offset, n int, more bool) IPv4 {
		p := PutIPv4(make([]byte, IPv4Header+n), ProtoUDP, 64, 1, builderSrc, builderDst)
		p.SetFragment(false, more, offset)
		return p
	}
	for name, all := range map[string][]IPv4{
		"overlap before":   {fragment(8, 16, true), fragment(0, 16, true)},
		"overlap behind":   {fragment(0, 16, true), fragment(8, 16, true)},
		"another length":   {fragment(0, 16, true), fragment(0, 8, true)},
		"two ends":         {fragment(16, 8, false), fragment(24, 8, false)},
		"behind the end":   {fragment(16, 8, false), fragment(24, 8, true)},
		"an end too early": {fragment(16, 8, true), fragment(0, 8, false)},
		"an odd length":    {fragment(0, 12, true)},
		"no payload":       {fragment(0, 0, true)},
		"too long":         {fragment(65528, 8, false)},
	} {
		var f Fragments[int]
		for i, p := range all {
			at, fit := f.Fit(IP(p))
			if last := i == len(all)-1; fit == Contradicts != last {
				t.Errorf("%s: fragment %d: %v", name, i, fit)
			} else if !last {
				f.Insert(at, IP(p), i)
			}
		}
	}
}

func TestBuildersAllocateNothing(t *testing.T) {
	b, about := make([]byte, 0, 2000), make([]byte, 600)
	before := Tuple{SrcIP: AddrOf(builderSrc), DstIP: AddrOf(builderDst), Proto: ProtoTCP, SrcPort: 1, DstPort: 2}
	if n := testing.AllocsPerRun(100, func() {
		p := PutIPv4(b[:100], ProtoTCP, 64, 1, builderSrc, builderDst)
		PutTCP(p.Payload(), TCPFields{SrcPort: 1, DstPort: 2, MSS: 1460}).SetChecksum(builderSrc, builderDst)
		IP(p).Rewrite(before, before.Reply(), false)
		PutUDP(p.Payload(), 1, 2).SetChecksum(builderSrc, builderDst)
		PutEcho(p.Payload(), ICMPEcho, 1, 2).TurnEcho()
		_ = ICMPError{Type: ICMPTimeExceeded}.Append(b, about)
		p.SetLength()
		_, _ = p.AppendFragment(b[:200], 8, 8)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
