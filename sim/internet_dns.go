package sim

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is all that the simulated internet's DNS knows: names and their one address.
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
}

// reverseName returns where DNS keeps the name of an address (RFC 1035 3.5).
func reverseName(a netip.Addr) string {
	ip := a.As4()
	return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", ip[3], ip[2], ip[1], ip[0])
}

// dnsTTL is how long answers may be kept, in seconds.
const dnsTTL = 300

// answerDNS answers a query (RFC 1035) from the zone: an address, a name, NODATA for a name that has nothing of the kind
// asked for, NXDOMAIN for one that does not exist. What is not a query gets no answer.
func answerDNS(_ netip.AddrPort, query []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil
	}
	answer := dnsmessage.Message{Header: dnsmessage.Header{ID: header.ID, Response: true, OpCode: header.OpCode,
		RecursionDesired: header.RecursionDesired, RecursionAvailable: true}}
	q, err := p.Question()
	switch {
	case err != nil:
		answer.RCode = dnsmessage.RCodeFormatError
	case header.OpCode != 0:
		answer.RCode = dnsmessage.RCodeNotImplemented
	default:
		answer.Questions = []dnsmessage.Question{q}
		answer.Answers, answer.RCode = lookUp(q)
	}
	packed, err := answer.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// lookUp finds the records that answer a question.
func lookUp(q dnsmessage.Question) ([]dnsmessage.Resource, dnsmessage.RCode) {
	name := strings.ToLower(q.Name.String())
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: dnsTTL}
	addr, isName := zone[name]
	pointer, isPointer := pointers[name]
	var body dnsmessage.ResourceBody
	switch {
	case q.Class != dnsmessage.ClassINET || !isName && !isPointer:
		return nil, dnsmessage.RCodeNameError
	case isName && q.Type == dnsmessage.TypeA:
		body = &dnsmessage.AResource{A: addr.As4()}
	case isPointer && q.Type == dnsmessage.TypePTR:
		body = &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(pointer)}
	default:
		return nil, dnsmessage.RCodeSuccess
	}
	return []dnsmessage.Resource{{Header: header, Body: body}}, dnsmessage.RCodeSuccess
}
