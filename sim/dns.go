package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// How long a machine waits for a DNS server, and how often it asks (resolv.conf's timeout and attempts).
const (
	resolveTimeout  = 5 * time.Second
	resolveAttempts = 2
)

// ErrNoSuchName is what LookUp says of a name that does not exist.
var ErrNoSuchName = errors.New("NXDOMAIN")

// LookUp asks a DNS server for the address of a name, its IPv4 one or with six that of IPv6, and hands what it finds to done,
// once. An invalid address without an error means that the name exists and has none.
func (m *Machine) LookUp(server netip.Addr, name string, six bool, done func(netip.Addr, error)) {
	kind := dns.TypeA
	if six {
		kind = dns.TypeAAAA
	}
	m.ask(server, name, kind, func(r dns.RR, err error) {
		var found netip.Addr
		switch r := r.(type) {
		case *dns.A:
			found, _ = netip.AddrFromSlice(r.A.To4())
		case *dns.AAAA:
			found, _ = netip.AddrFromSlice(r.AAAA.To16())
		}
		done(found, err)
	})
}

// LookUpAddr asks a DNS server for the name of an address, as LookUp for the address of a name.
func (m *Machine) LookUpAddr(server, addr netip.Addr, done func(name string, err error)) {
	m.ask(server, reverseName(addr), dns.TypePTR, func(r dns.RR, err error) {
		name := ""
		if p, ok := r.(*dns.PTR); ok {
			name = p.Ptr
		}
		done(name, err)
	})
}

// ask puts one question and returns the first record of the type asked for, or nil if there is none.
func (m *Machine) ask(server netip.Addr, name string, kind uint16, done func(dns.RR, error)) {
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	query.Id = uint16(m.random.Uint32())
	packed, err := query.Pack()
	if err != nil {
		done(nil, fmt.Errorf("%s: %w", name, err))
		return
	}
	attempts := 0
	var try func()
	try = func() {
		attempts++
		m.AskUDP(netip.AddrPortFrom(server, 53), packed, resolveTimeout, func(b []byte, err error) {
			switch {
			case errors.Is(err, ErrTimeout) && attempts < resolveAttempts:
				try()
			case err != nil:
				done(nil, err)
			default:
				done(readAnswer(b, query.Id, kind))
			}
		})
	}
	try()
}

func readAnswer(b []byte, id, kind uint16) (dns.RR, error) {
	var answer dns.Msg
	switch err := answer.Unpack(b); {
	case err != nil:
		return nil, err
	case answer.Id != id:
		return nil, errors.New("an answer to another question")
	case answer.Rcode == dns.RcodeNameError:
		return nil, ErrNoSuchName
	case answer.Rcode != dns.RcodeSuccess:
		return nil, errors.New(dns.RcodeToString[answer.Rcode])
	}
	for _, r := range answer.Answer {
		if r.Header().Rrtype == kind {
			return r, nil
		}
	}
	return nil, nil
}

// zone is all that the simulated internet's DNS knows: names and their one address, beside which stands one of IPv6 (worldwide).
var zone = map[string]netip.Addr{
	"example.com.":     webServer,
	"www.example.com.": webServer,
	"dns.google.":      dnsServers[0],
	"one.one.one.one.": dnsServers[1],
}

// pointers are the names that addresses have (PTR records), by the address's name in in-addr.arpa.
var pointers = map[string]string{
	reverseName(webServer):     "example.com.",
	reverseName(dnsServers[0]): "dns.google.",
	reverseName(dnsServers[1]): "one.one.one.one.",

	reverseName(worldwide[webServer]):     "example.com.",
	reverseName(worldwide[dnsServers[0]]): "dns.google.",
	reverseName(worldwide[dnsServers[1]]): "one.one.one.one.",
}

// reverseName returns where DNS keeps the name of an address (RFC 1035 3.5, RFC 3596 2.5).
func reverseName(a netip.Addr) string {
	name, _ := dns.ReverseAddr(a.String()) // which an address always has
	return name
}

// dnsTTL is how long answers may be kept, in seconds.
const dnsTTL = 300

// answerDNS answers a query (RFC 1035) from the zone: an address, a name, NODATA for a name that has nothing of the kind
// asked for, NXDOMAIN for one that does not exist. What is not a query gets no answer.
func answerDNS(_ netip.AddrPort, b []byte) []byte {
	var query dns.Msg
	err := query.Unpack(b)
	if len(b) < dnsHeader || query.Response {
		return nil
	}
	answer := new(dns.Msg)
	answer.Id, answer.Response, answer.Opcode, answer.Compress = query.Id, true, query.Opcode, true
	answer.RecursionDesired, answer.RecursionAvailable = query.RecursionDesired, true
	switch {
	case err != nil || len(query.Question) == 0:
		answer.Rcode = dns.RcodeFormatError
	case query.Opcode != dns.OpcodeQuery:
		answer.Rcode = dns.RcodeNotImplemented
	default:
		answer.Question = query.Question[:1]
		answer.Answer, answer.Rcode = lookUp(query.Question[0])
	}
	packed, err := answer.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// dnsHeader is the length of a message's header (RFC 1035 4.1.1).
const dnsHeader = 12

// lookUp finds the records that answer a question.
func lookUp(q dns.Question) ([]dns.RR, int) {
	name := strings.ToLower(q.Name)
	header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: dnsTTL}
	addr, isName := zone[name]
	pointer, isPointer := pointers[name]
	switch {
	case q.Qclass != dns.ClassINET || !isName && !isPointer:
		return nil, dns.RcodeNameError
	case isName && q.Qtype == dns.TypeA:
		return []dns.RR{&dns.A{Hdr: header, A: addr.AsSlice()}}, dns.RcodeSuccess
	case isName && q.Qtype == dns.TypeAAAA:
		return []dns.RR{&dns.AAAA{Hdr: header, AAAA: worldwide[addr].AsSlice()}}, dns.RcodeSuccess
	case isPointer && q.Qtype == dns.TypePTR:
		return []dns.RR{&dns.PTR{Hdr: header, Ptr: pointer}}, dns.RcodeSuccess
	}
	return nil, dns.RcodeSuccess
}
