package sim

import (
	"errors"
	"fmt"
	"net/netip"
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
