package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// How long a machine waits for a DNS server, and how often it asks (resolv.conf's timeout and attempts).
const (
	resolveTimeout  = 5 * time.Second
	resolveAttempts = 2
)

// ErrNoSuchName is what LookUp says of a name that does not exist.
var ErrNoSuchName = errors.New("NXDOMAIN")

// LookUp asks a DNS server for the address of a name, and hands what it finds to done, once. An invalid address without
// an error means that the name exists and has none.
func (m *Machine) LookUp(server netip.Addr, name string, done func(netip.Addr, error)) {
	m.ask(server, name, dnsmessage.TypeA, func(r *dnsmessage.Resource, err error) {
		if r == nil {
			done(netip.Addr{}, err)
			return
		}
		done(netip.AddrFrom4(r.Body.(*dnsmessage.AResource).A), nil)
	})
}

// LookUpAddr asks a DNS server for the name of an address, as LookUp for the address of a name.
func (m *Machine) LookUpAddr(server, addr netip.Addr, done func(name string, err error)) {
	m.ask(server, reverseName(addr), dnsmessage.TypePTR, func(r *dnsmessage.Resource, err error) {
		if r == nil {
			done("", err)
			return
		}
		done(r.Body.(*dnsmessage.PTRResource).PTR.String(), nil)
	})
}

// ask puts one question and returns the first record of the type asked for, or nil if there is none.
func (m *Machine) ask(server netip.Addr, name string, t dnsmessage.Type, done func(*dnsmessage.Resource, error)) {
	if name == "" || name[len(name)-1] != '.' {
		name += "."
	}
	wire, err := dnsmessage.NewName(name)
	if err != nil {
		done(nil, fmt.Errorf("%s: %w", name, err))
		return
	}
	query := dnsmessage.Message{Header: dnsmessage.Header{ID: uint16(m.random.Uint32()), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: wire, Type: t, Class: dnsmessage.ClassINET}}}
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
				done(readAnswer(b, query.ID, t))
			}
		})
	}
	try()
}

func readAnswer(b []byte, id uint16, t dnsmessage.Type) (*dnsmessage.Resource, error) {
	var answer dnsmessage.Message
	switch err := answer.Unpack(b); {
	case err != nil:
		return nil, err
	case answer.ID != id:
		return nil, errors.New("an answer to another question")
	case answer.RCode == dnsmessage.RCodeNameError:
		return nil, ErrNoSuchName
	case answer.RCode != dnsmessage.RCodeSuccess:
		return nil, errors.New(answer.RCode.String())
	}
	for i := range answer.Answers {
		if answer.Answers[i].Header.Type == t {
			return &answer.Answers[i], nil
		}
	}
	return nil, nil
}

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
