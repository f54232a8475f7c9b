package names_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"uswitch/cmd/internal/world/names"
	"uswitch/switch/frame"
)

// The lab of these tests:
//
//	br0   11.11.11.0/24           RED 11.11.11.2 (crimson, web), BLUE 11.11.11.3 (web)
//	br1   22.22.22.0/24 internal  BLUE 22.22.22.3, PINK 22.22.22.2 (db.lan)
//	br2   172.17.0.0/16 bridge    GREY 172.17.0.2
var records = names.Records{
	Networks: []names.Network{
		{Name: "br0", Docker: "lab_br0", Subnet: netip.MustParsePrefix("11.11.11.0/24")},
		{Name: "br1", Docker: "lab_br1", Subnet: netip.MustParsePrefix("22.22.22.0/24"), Internal: true},
		{Name: "br2", Docker: "bridge", Subnet: netip.MustParsePrefix("172.17.0.0/16"), Nameless: true},
	},
	Hosts: []names.Host{
		{Name: "RED", Places: []names.Place{place("br0", "11.11.11.2", "RED", "crimson", "web")}},
		{Name: "BLUE", Places: []names.Place{place("br0", "11.11.11.3", "BLUE", "web"), place("br1", "22.22.22.3", "BLUE")}},
		{Name: "PINK", Places: []names.Place{place("br1", "22.22.22.2", "PINK", "db.lan")}},
		{Name: "GREY", Places: []names.Place{place("br2", "172.17.0.2", "GREY")}},
	},
}

func place(network, addr string, called ...string) names.Place {
	return names.Place{Network: network, Addr: netip.MustParseAddr(addr), Names: called}
}

// wire is a gateway that keeps what its programs send.
type wire chan frame.Frame

func (w wire) Originate(f frame.Frame, _ time.Time) { w <- f.Clone() }

// server is a name server and the wire that it answers on.
type server struct {
	*names.Server
	testing.TB
	wire wire
}

func newServer(t testing.TB, f *names.Forwarder) *server {
	s := &server{TB: t, wire: make(wire, 1024)}
	s.Server = names.NewServer(names.Config{Gateway: s.wire, Forwarder: f})
	s.Set(records)
	return s
}

// datagram is a frame from an address to the name server.
func datagram(from string, payload []byte) frame.Frame {
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.UDPHeader+len(payload))
	u := b[frame.EthernetHeader+frame.IPv4Header:]
	u[0], u[1], u[3] = 7, 26, 53 // 1818
	u[4], u[5] = byte(len(u)>>8), byte(len(u))
	copy(u[frame.UDPHeader:], payload)
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, netip.MustParseAddr(from), netip.MustParseAddr("11.11.11.1"))
	return frame.Frame{Data: b}
}

// asks returns the reply to a question over UDP, and its size on the wire.
func (s *server) asks(from string, q *dns.Msg) (*dns.Msg, int) {
	s.Helper()
	question, err := q.Pack()
	if err != nil {
		s.Fatal(err)
	}
	s.Deliver(datagram(from, question), time.Now())
	for late := time.After(20 * time.Second); ; {
		select {
		case f := <-s.wire:
			if frame.IPv4(f.Data[frame.EthernetHeader:]).Dst().String() == from { // others are not waited for
				return s.read(from, q, f)
			}
		case <-late:
			s.Fatal("no answer")
		}
	}
}

// read checks a reply's headers and reads it.
func (s *server) read(from string, q *dns.Msg, f frame.Frame) (*dns.Msg, int) {
	s.Helper()
	ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
	if err != nil || !ip.ChecksumOK() {
		s.Fatalf("%v, checksum of the header: %v", err, ip.ChecksumOK())
	}
	u, _ := frame.ParseUDP(ip.Payload())
	if frame.Checksum(u, frame.PseudoHeader(frame.ProtoUDP, ip.Src(), ip.Dst(), len(u))) != 0 || u.Length() != len(u) {
		s.Error("a datagram with a wrong checksum or length")
	}
	if ip.Src().String() != "11.11.11.1" || ip.Dst().String() != from || u.SrcPort() != 53 || u.DstPort() != 1818 {
		s.Errorf("%v:%d > %v:%d: not back to where it came from", ip.Src(), u.SrcPort(), ip.Dst(), u.DstPort())
	}
	reply := new(dns.Msg)
	if err := reply.Unpack(u.Payload()); err != nil {
		s.Fatal(err)
	}
	if reply.Id != q.Id || !reply.Response {
		s.Errorf("reply %d to question %d", reply.Id, q.Id)
	}
	return reply, len(u.Payload())
}

func question(name string, rrtype uint16) *dns.Msg {
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), rrtype)
}

// text is a reply in a line: its status, and its records sorted.
func text(m *dns.Msg) string {
	var lines []string
	for _, r := range m.Answer {
		switch r := r.(type) {
		case *dns.A:
			lines = append(lines, r.A.String())
		case *dns.AAAA:
			lines = append(lines, r.AAAA.String())
		case *dns.PTR:
			lines = append(lines, r.Ptr)
		default:
			lines = append(lines, r.String())
		}
	}
	slices.Sort(lines)
	return strings.TrimSpace(dns.RcodeToString[m.Rcode] + " " + strings.Join(lines, " "))
}

func TestNames(t *testing.T) {
	s := newServer(t, nil)
	const red, blue, pink, grey, byHand = "11.11.11.2", "11.11.11.3", "22.22.22.2", "172.17.0.2", "11.11.11.77"
	for _, c := range []struct {
		from, name string
		rrtype     uint16
		want       string
	}{
		{red, "BLUE", dns.TypeA, "NOERROR 11.11.11.3"},
		{red, "blue", dns.TypeA, "NOERROR 11.11.11.3"},
		{red, "RED", dns.TypeA, "NOERROR 11.11.11.2"},
		{red, "crimson", dns.TypeA, "NOERROR 11.11.11.2"},
		{red, "web", dns.TypeA, "NOERROR 11.11.11.2 11.11.11.3"},
		{red, "blue.lab_br0", dns.TypeA, "NOERROR 11.11.11.3"},
		{red, "blue.br0", dns.TypeA, "NOERROR 11.11.11.3"},
		{red, "blue", dns.TypeAAAA, "NOERROR"},
		{red, "blue", dns.TypeMX, "NOERROR"},
		{red, "blue", dns.TypeANY, "NOERROR 11.11.11.3"},
		{byHand, "blue", dns.TypeA, "NOERROR 11.11.11.3"},

		// A name is known on the networks that its host and the asker share.
		{red, "pink", dns.TypeA, "REFUSED"},
		{red, "blue.lab_br1", dns.TypeA, "REFUSED"},
		{blue, "pink", dns.TypeA, "NOERROR 22.22.22.2"},
		{blue, "blue", dns.TypeA, "NOERROR 11.11.11.3"},
		{"22.22.22.3", "red", dns.TypeA, "NOERROR 11.11.11.2"},
		{pink, "blue", dns.TypeA, "NOERROR 22.22.22.3"},
		{pink, "db.lan", dns.TypeA, "NOERROR 22.22.22.2"},
		{pink, "red", dns.TypeA, "REFUSED"},

		// Nobody on the default network has a name, not even for itself.
		{grey, "grey", dns.TypeA, "REFUSED"},
		{grey, "red", dns.TypeA, "REFUSED"},
		{red, "grey", dns.TypeA, "REFUSED"},

		{red, "3.11.11.11.in-addr.arpa", dns.TypePTR, "NOERROR BLUE.lab_br0."},
		{red, "3.11.11.11.in-addr.arpa", dns.TypeTXT, "NOERROR"},
		{red, "2.22.22.22.in-addr.arpa", dns.TypePTR, "NXDOMAIN"},
		{blue, "2.22.22.22.in-addr.arpa", dns.TypePTR, "NOERROR PINK.lab_br1."},
		{red, "99.11.11.11.in-addr.arpa", dns.TypePTR, "NXDOMAIN"},
		{red, "8.8.8.8.in-addr.arpa", dns.TypePTR, "REFUSED"},
		{red, "11.11.in-addr.arpa", dns.TypePTR, "REFUSED"},

		{red, "example.com", dns.TypeA, "REFUSED"},
		{"8.8.8.8", "blue", dns.TypeA, "REFUSED"},
		{"8.8.8.8", "3.11.11.11.in-addr.arpa", dns.TypePTR, "REFUSED"},
	} {
		reply, _ := s.asks(c.from, question(c.name, c.rrtype))
		if got := text(reply); got != c.want {
			t.Errorf("%s asks for %s %s: %s, want %s", c.from, c.name, dns.TypeToString[c.rrtype], got, c.want)
		}
	}
}

func TestTheServerIsThereForTheLab(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		src, dst string
		want     bool
	}{
		{"11.11.11.2", "11.11.11.1", true},
		{"11.11.11.77", "11.11.11.1", true},
		{"172.17.0.2", "172.17.0.1", true},
		{"11.11.11.2", "22.22.22.1", false},
		{"11.11.11.2", "192.168.104.2", false},
		{"8.8.8.8", "11.11.11.1", false},
		{"192.168.104.1", "192.168.104.2", false},
	} {
		if got := s.Accepts(netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)); got != c.want {
			t.Errorf("hears %s at %s: %v", c.src, c.dst, got)
		}
	}
}

func TestSeveralAddressesTakeTurns(t *testing.T) {
	s := newServer(t, nil)
	first := map[string]int{}
	for range 10 {
		reply, _ := s.asks("11.11.11.3", question("web", dns.TypeA))
		first[reply.Answer[0].(*dns.A).A.String()]++
	}
	if first["11.11.11.2"] != 5 || first["11.11.11.3"] != 5 {
		t.Errorf("first is %v", first)
	}
}

func TestChangesCount(t *testing.T) {
	s := newServer(t, nil)
	r := records
	r.Hosts = []names.Host{{Name: "RED", Places: records.Hosts[0].Places}, {Name: "NEW", Places: []names.Place{place("br0", "11.11.11.9", "NEW")}}}
	s.Set(r)
	for name, want := range map[string]string{"new": "NOERROR 11.11.11.9", "blue": "REFUSED"} {
		if reply, _ := s.asks("11.11.11.2", question(name, dns.TypeA)); text(reply) != want {
			t.Errorf("%s: %s, want %s", name, text(reply), want)
		}
	}
}

// TestOddQuestions asks what no resolver asks.
func TestOddQuestions(t *testing.T) {
	s := newServer(t, nil)
	two := question("blue", dns.TypeA)
	two.Question = append(two.Question, dns.Question{Name: "red.", Qtype: dns.TypeA, Qclass: dns.ClassINET})
	none := question("blue", dns.TypeA)
	none.Question = nil
	chaos := question("version.bind", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	notify := question("blue", dns.TypeA)
	notify.Opcode = dns.OpcodeNotify
	future := question("blue", dns.TypeA)
	future.SetEdns0(1232, false).IsEdns0().SetVersion(1)
	for what, c := range map[string]struct {
		q    *dns.Msg
		want int
	}{
		"two questions": {two, dns.RcodeFormatError}, "no question": {none, dns.RcodeFormatError}, "class CHAOS": {chaos, dns.RcodeRefused},
		"another opcode": {notify, dns.RcodeNotImplemented}, "EDNS version 1": {future, dns.RcodeBadVers},
	} {
		if reply, _ := s.asks("11.11.11.2", c.q); reply.Rcode != c.want || len(reply.Answer) > 0 {
			t.Errorf("%s: status %d, want %d", what, reply.Rcode, c.want)
		}
	}
	answer := question("blue", dns.TypeA)
	answer.Response = true
	b, _ := answer.Pack()
	for what, payload := range map[string][]byte{"an answer": b, "noise": []byte("who?"), "nothing": nil} {
		s.Deliver(datagram("11.11.11.2", payload), time.Now())
		if len(s.wire) != 0 {
			t.Errorf("%s is answered", what)
		}
	}
	// A question that breaks off has a header, and that is answered.
	b, _ = question("blue", dns.TypeA).Pack()
	s.Deliver(datagram("11.11.11.2", b[:len(b)-3]), time.Now())
	if f := <-s.wire; f.Data[frame.EthernetHeader+frame.IPv4Header+frame.UDPHeader+3]&15 != dns.RcodeFormatError {
		t.Error("a question that breaks off is no format error")
	}
}

// crowd gives one name to n hosts.
func crowd(n int) names.Records {
	r := names.Records{Networks: records.Networks}
	for i := range n {
		r.Hosts = append(r.Hosts, names.Host{Name: fmt.Sprint("h", i), Places: []names.Place{
			place("br2x", "0.0.0.0"), {Network: "br0", Addr: netip.AddrFrom4([4]byte{11, 11, 11, byte(2 + i)}), Names: []string{fmt.Sprint("h", i), "crowd"}}}})
	}
	return r
}

func TestSizes(t *testing.T) {
	s := newServer(t, nil)
	s.Set(crowd(200))
	for _, c := range []struct {
		edns     uint16 // 0: none
		limit    int
		complete bool
	}{{0, 512, false}, {100, 512, false}, {512, 512, false}, {1232, 1232, false}, {4096, 4096, true}, {65535, 4096, true}} {
		q := question("crowd", dns.TypeA)
		if c.edns > 0 {
			q.SetEdns0(c.edns, false)
		}
		reply, size := s.asks("11.11.11.2", q)
		if size > c.limit || reply.Truncated == c.complete || (len(reply.Answer) == 200) != c.complete || len(reply.Answer) == 0 {
			t.Errorf("EDNS %d: %d bytes, %d records, truncated: %v", c.edns, size, len(reply.Answer), reply.Truncated)
		}
		if (reply.IsEdns0() != nil) != (c.edns > 0) {
			t.Errorf("EDNS %d: the reply has it: %v", c.edns, reply.IsEdns0() != nil)
		}
	}
}

func TestReasonsAreTold(t *testing.T) {
	s := newServer(t, nil)
	for from, want := range map[string]string{"22.22.22.2": "internal network", "11.11.11.2": "no way out", "172.17.0.2": "the default network"} {
		q := question("red.example", dns.TypeA)
		q.SetEdns0(1232, false)
		reply, _ := s.asks(from, q)
		if got := reply.IsEdns0().Option; len(got) != 1 || !strings.Contains(got[0].String(), want) {
			t.Errorf("%s is told %v, want %s", from, got, want)
		}
	}
}

// TestNamesOfBothFamilies: a name has the addresses of each family that its host has, and an address of either its name.
func TestNamesOfBothFamilies(t *testing.T) {
	s := newServer(t, nil)
	r := names.Records{Networks: []names.Network{{Name: "br0", Docker: "lab_br0", Subnet: netip.MustParsePrefix("11.11.11.0/24"), Subnet6: netip.MustParsePrefix("fd00:1::/64")}}}
	for name, addr := range map[string][2]string{"RED": {"11.11.11.2", "fd00:1::2"}, "BLUE": {"11.11.11.3", "fd00:1::3"}} {
		p := place("br0", addr[0], name, "both")
		p.Addr6 = netip.MustParseAddr(addr[1])
		r.Hosts = append(r.Hosts, names.Host{Name: name, Places: []names.Place{p}})
	}
	s.Set(r)
	const ends = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa"
	for _, c := range []struct {
		name   string
		rrtype uint16
		want   string
	}{
		{"blue", dns.TypeAAAA, "NOERROR fd00:1::3"},
		{"blue", dns.TypeA, "NOERROR 11.11.11.3"},
		{"both", dns.TypeAAAA, "NOERROR fd00:1::2 fd00:1::3"},
		{"blue", dns.TypeANY, "NOERROR 11.11.11.3 fd00:1::3"},
		{"3.0.0.0.0." + ends, dns.TypePTR, "NOERROR BLUE.lab_br0."},
		{"9.0.0.0.0." + ends, dns.TypePTR, "NXDOMAIN"},
		{"3.0.0.0." + ends, dns.TypePTR, "REFUSED"},
	} {
		if reply, _ := s.asks("11.11.11.2", question(c.name, c.rrtype)); text(reply) != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, dns.TypeToString[c.rrtype], text(reply), c.want)
		}
	}
}
