package rule_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
)

// tuple reads "11.11.11.2:1818 > 8.8.8.8:53" of a protocol.
func tuple(t testing.TB, proto uint8, text string) frame.Tuple {
	t.Helper()
	src, dst, _ := strings.Cut(text, " > ")
	a, err := netip.ParseAddrPort(src)
	if err != nil {
		t.Fatal(err)
	}
	b, err := netip.ParseAddrPort(dst)
	if err != nil {
		t.Fatal(err)
	}
	return frame.Tuple{SrcIP: frame.AddrOf(a.Addr()), DstIP: frame.AddrOf(b.Addr()), SrcPort: a.Port(), DstPort: b.Port(), Proto: proto}
}

// syn is a new TCP connection from RED to a web server; each change makes another packet of it.
func syn(t testing.TB, changes ...func(*rule.Packet)) rule.Packet {
	p := rule.Packet{
		Tuple: tuple(t, frame.ProtoTCP, "11.11.11.2:1818 > 93.184.216.34:80"), InIface: "br0", OutIface: "wan0",
		SrcMAC: frame.MAC{2, 0x42, 11, 11, 11, 2}, HasMAC: true, TCPFlags: frame.SYN, Length: 60, State: rule.StateNew,
		Now: time.Unix(1000, 0),
	}
	p.Orig = p.Tuple
	p.Reply = p.Tuple.Reply()
	for _, change := range changes {
		change(&p)
	}
	return p
}

// Changes to syn.
func udp(p *rule.Packet)      { p.Tuple.Proto = frame.ProtoUDP }
func fragment(p *rule.Packet) { p.Fragment = true }
func noMAC(p *rule.Packet)    { p.HasMAC = false }
func noConn(p *rule.Packet)   { p.State = 0 }
func translated(p *rule.Packet) {
	p.State |= rule.StateDNAT
	p.Orig.DstIP, p.Orig.DstPort = frame.AddrOf(netip.AddrFrom4([4]byte{192, 0, 2, 2})), 8080
}
func answer(p *rule.Packet) {
	p.Tuple, p.Direction, p.State = p.Tuple.Reply(), rule.Reply, rule.StateEstablished
	p.InIface, p.OutIface, p.TCPFlags = "wan0", "br0", frame.SYN|frame.ACK
}
func ping(p *rule.Packet) {
	p.Tuple.Proto, p.ICMPType, p.ICMPCode = frame.ProtoICMP, frame.ICMPEcho, 0
}
func unreachable(p *rule.Packet) {
	p.Tuple.Proto, p.ICMPType, p.ICMPCode = frame.ProtoICMP, frame.ICMPUnreachable, frame.UnreachablePort
}
func dice(n uint32) func(*rule.Packet)   { return func(p *rule.Packet) { p.Dice = fixed(n) } }
func marked(m uint32) func(*rule.Packet) { return func(p *rule.Packet) { p.Mark = m } }
func asked(a rule.AddrTyper) func(*rule.Packet) {
	return func(p *rule.Packet) { p.Types = a }
}

// fixed is a die with one side.
type fixed uint32

func (f fixed) Uint32() uint32 { return uint32(f) }

// local is an AddrTyper for whom one address is local, on one interface.
type local struct{ iface string }

func (l local) AddrType(addr frame.Addr, iface string) rule.AddrType {
	if addr == frame.AddrOf(netip.AddrFrom4([4]byte{93, 184, 216, 34})) && (iface == "" || iface == l.iface) {
		return rule.TypeLocal
	}
	return rule.TypeUnicast
}
