package names

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"uswitch/switch/trace"
)

// ttl is how long answers may be kept, in seconds: as long as Docker's.
const ttl = 600

// answer answers a question from one of the lab's addresses. It returns nil if the question is for somebody outside.
func (z *zone) answer(from netip.Addr, q *dns.Msg, turn func() int) *dns.Msg {
	a := z.asker(from)
	switch opt := q.IsEdns0(); {
	case opt != nil && opt.Version() != 0:
		return status(q, dns.RcodeBadVers) // RFC 6891 6.1.3
	case q.Opcode != dns.OpcodeQuery:
		return status(q, dns.RcodeNotImplemented)
	case len(q.Question) != 1:
		return status(q, dns.RcodeFormatError)
	case a == nil:
		return refuse(q, dns.ExtendedErrorCodeProhibited, fmt.Sprintf("%v is on no network of this lab", from))
	case q.Question[0].Qclass != dns.ClassINET:
		return refuse(q, dns.ExtendedErrorCodeNotSupported, "want class IN")
	case len(a.places) == 0:
		return refuse(q, dns.ExtendedErrorCodeProhibited, "bridge, the default network, has no names: only networks that a user has made do")
	}
	question := q.Question[0]
	name := strings.ToLower(strings.TrimSuffix(question.Name, "."))
	if addrs := a.lookUp(name); addrs != nil {
		return addresses(q, addrs, turn)
	}
	if addr, ok := reversed(name); ok {
		if found, ok := a.nameOf(addr); ok {
			return pointer(q, found)
		}
		if z.around(addr) != nil {
			return status(q, dns.RcodeNameError) // nobody outside knows more of the lab's own addresses
		}
	}
	return nil
}

// addresses tells where a name is, and for every question that is not about addresses that there is nothing. Several of a family
// take turns in being the first.
func addresses(q *dns.Msg, addrs []netip.Addr, turn func() int) *dns.Msg {
	reply := status(q, dns.RcodeSuccess)
	for _, family := range []struct {
		question uint16
		has      func(netip.Addr) bool
		record   func(netip.Addr) dns.RR
	}{
		{dns.TypeA, netip.Addr.Is4, func(a netip.Addr) dns.RR { return &dns.A{Hdr: header(q, dns.TypeA), A: a.AsSlice()} }},
		{dns.TypeAAAA, netip.Addr.Is6, func(a netip.Addr) dns.RR { return &dns.AAAA{Hdr: header(q, dns.TypeAAAA), AAAA: a.AsSlice()} }},
	} {
		if t := q.Question[0].Qtype; t != family.question && t != dns.TypeANY {
			continue
		}
		theirs := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return !family.has(a) })
		first := 0
		if len(theirs) > 1 {
			first = turn()
		}
		for i := range theirs {
			reply.Answer = append(reply.Answer, family.record(theirs[(i+first)%len(theirs)]))
		}
	}
	return reply
}

// pointer tells whose an address is.
func pointer(q *dns.Msg, name string) *dns.Msg {
	reply := status(q, dns.RcodeSuccess)
	if t := q.Question[0].Qtype; t == dns.TypePTR || t == dns.TypeANY {
		reply.Answer = []dns.RR{&dns.PTR{Hdr: header(q, dns.TypePTR), Ptr: dns.Fqdn(name)}}
	}
	return reply
}

func header(q *dns.Msg, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: q.Question[0].Name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// status returns a reply without records.
func status(q *dns.Msg, code int) *dns.Msg {
	reply := new(dns.Msg).SetRcode(q, code)
	reply.RecursionAvailable = true
	if q.IsEdns0() != nil {
		reply.SetEdns0(maxUDP, false)
	}
	return reply
}

// refuse returns a reply that says no, and why if the asker understands that (RFC 8914).
func refuse(q *dns.Msg, info uint16, why string) *dns.Msg {
	return because(status(q, dns.RcodeRefused), info, why)
}

// because adds to a reply why it is none.
func because(reply *dns.Msg, info uint16, why string) *dns.Msg {
	if opt := reply.IsEdns0(); opt != nil {
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: info, ExtraText: why})
	}
	return reply
}

// reversed reads the address out of a name below in-addr.arpa (RFC 1035 3.5) or ip6.arpa (RFC 3596 2.5).
func reversed(name string) (a netip.Addr, ok bool) {
	if nibbles, ok := strings.CutSuffix(name, ".ip6.arpa"); ok {
		return reversed6(nibbles)
	}
	digits, ok := strings.CutSuffix(name, ".in-addr.arpa")
	if !ok {
		return a, false
	}
	parts := strings.Split(digits, ".")
	if len(parts) != 4 {
		return a, false
	}
	a, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return a, err == nil
}

// reversed6 reads 32 digits, the last one first.
func reversed6(nibbles string) (a netip.Addr, ok bool) {
	digits := strings.Split(nibbles, ".")
	slices.Reverse(digits)
	b, err := hex.DecodeString(strings.Join(digits, ""))
	if err != nil || len(digits) != 32 || len(b) != 16 {
		return a, false
	}
	return netip.AddrFrom16([16]byte(b)), true
}

// Unknown returns what says why a name of the lab means nothing to an asker; ok is false if it does mean something, and for
// names that nobody in the lab has.
func Unknown(r Records) func(in trace.Language, asker netip.Addr, name string) (why string, ok bool) {
	z := newZone(r)
	return func(in trace.Language, from netip.Addr, name string) (why string, ok bool) {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		a, n := z.asker(from), z.bearer(name)
		switch {
		case a == nil || n == nil || a.lookUp(name) != nil:
			return "", false
		case len(a.places) == 0:
			return in("on bridge, the default network, nobody has a name"), true
		case n.Nameless:
			return in("%s is on bridge, the default network, where nobody has a name", name), true
		}
		return in("%s is on no network that the asker is on", name), true
	}
}

// bearer returns a network on which somebody has a name in lower case, one that has names if there is any, or nil.
func (z *zone) bearer(name string) (found *network) {
	for _, n := range z.networks {
		if n.addrs[name] != nil && (found == nil || found.Nameless) {
			found = n
		}
	}
	return found
}

// Sizes of an answer over UDP, in bytes.
const (
	minUDP = dns.MinMsgSize // for those who say nothing (RFC 1035 4.2.1)
	maxUDP = 4096           // what is larger than the network's MTU leaves in fragments
)

// room returns how long an answer over UDP may be for whoever sent q.
func room(q *dns.Msg) int {
	opt := q.IsEdns0()
	if opt == nil {
		return minUDP
	}
	return min(max(int(opt.UDPSize()), minUDP), maxUDP) // less than 512 means 512 (RFC 6891 6.2.3)
}

// pack writes a reply into at most size bytes: where it does not fit, records are left out and the reply says so.
func pack(reply *dns.Msg, size int) ([]byte, error) {
	reply.Compress = true
	reply.Truncate(size)
	return reply.Pack()
}
