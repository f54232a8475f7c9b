package filter

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Names tells the addresses of a host by its name.
type Names func(name string) []netip.Addr

// Filter says of frames whether they match. The zero value matches all.
type Filter struct{ match matcher }

// matcher looks at one frame.
type matcher func(*view) bool

// Parse reads a filter; an empty one matches all. The error is one line without a prefix.
func Parse(text string, names Names) (*Filter, error) {
	p := &parser{words: split(text), names: names}
	if len(p.words) == 0 {
		return &Filter{}, nil
	}
	m, err := p.expression()
	if err == nil && len(p.words) > 0 {
		err = errSyntax // a parenthesis too many
	}
	if err != nil {
		return nil, err
	}
	return &Filter{m}, nil
}

// Match reports whether a frame matches; ip says that data is an IP packet without a link's header.
func (f *Filter) Match(data []byte, ip bool) bool {
	if f.match == nil {
		return true
	}
	v := look(data, ip)
	return f.match(v) && !v.short
}

var errSyntax = errors.New("can't parse filter expression: syntax error")

type parser struct {
	words []string
	names Names
	last  qualifier // of the ID before
	depth int
}

// maxDepth bounds parentheses and nots within each other.
const maxDepth = 100

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

// take takes the next word if it is one of these.
func (p *parser) take(words ...string) (string, bool) {
	if word := p.peek(); word != "" && slices.Contains(words, word) {
		p.words = p.words[1:]
		return word, true
	}
	return "", false
}

func (p *parser) expression() (matcher, error) {
	left, err := p.term()
	for err == nil && p.peek() != "" && p.peek() != ")" {
		word, _ := p.take("and", "or")
		var right matcher
		if right, err = p.term(); err != nil {
			break
		}
		a := left
		left = func(v *view) bool { return a(v) && right(v) }
		if word == "or" {
			left = func(v *view) bool { return a(v) || right(v) }
		}
	}
	return left, err
}

func (p *parser) term() (matcher, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, fmt.Errorf("the filter is nested more than %d deep", maxDepth)
	}
	if _, ok := p.take("not"); ok {
		m, err := p.term()
		return func(v *view) bool { return !m(v) }, err
	}
	if _, ok := p.take("("); ok {
		m, err := p.expression()
		if _, closed := p.take(")"); err == nil && !closed {
			err = errSyntax
		}
		return m, err
	}
	return p.primitive()
}

// qualifier is what stands in front of an ID.
type qualifier struct{ proto, dir, kind string }

// protocols can stand alone or in front.
var protocols = []string{"ether", "ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6"}

func (p *parser) primitive() (matcher, error) {
	word := p.peek()
	switch {
	case strings.ContainsAny(word, "[]<>=&|+*^"):
		return nil, fmt.Errorf("%q: expressions with brackets are not answered in filters here", word)
	case slices.Contains(unanswered, word):
		return nil, fmt.Errorf("%q is not answered in filters here", word)
	}
	if word, ok := p.take("less", "greater"); ok {
		return p.size(word)
	}
	var q qualifier
	q.proto, _ = p.take(protocols...)
	if cast, ok := p.take("broadcast", "multicast"); ok {
		return castOf(q.proto, cast)
	}
	q.dir = p.direction()
	q.kind, _ = p.take("host", "net", "port", "portrange", "proto")
	next := p.peek()
	ends := next == "" || slices.Contains([]string{")", "and", "or"}, next)
	switch {
	case q == qualifier{} && ends:
		return nil, errSyntax
	case q.dir == "" && q.kind == "" && q.proto != "" && (ends || next == "not" || next == "(" || p.isPrimitive(next)):
		if q.proto == "ether" {
			return nil, errSyntax
		}
		return protocolOf(q.proto), nil
	case ends || slices.Contains([]string{"not", "("}, next):
		return nil, errSyntax
	case q == qualifier{} && p.last == qualifier{}:
		return nil, errSyntax
	case q == qualifier{}:
		q = p.last
	}
	p.words = p.words[1:]
	p.last = q
	return p.id(q, next)
}

// isPrimitive reports whether a word begins a new primitive rather than being the ID of the protocol before it: tcp port 80
// is one primitive, but that begins with "port"; tcp udp are two.
func (p *parser) isPrimitive(word string) bool {
	return slices.Contains(protocols, word) || word == "less" || word == "greater" || slices.Contains(unanswered, word)
}

// direction takes src, dst, "src or dst" or "src and dst".
func (p *parser) direction() string {
	first, ok := p.take("src", "dst")
	if !ok || len(p.words) < 2 {
		return first
	}
	both := p.words[0] + " " + p.words[1]
	other := map[string]string{"src": "dst", "dst": "src"}[first]
	if both == "or "+other || both == "and "+other {
		p.words = p.words[2:]
		return strings.Fields(both)[0]
	}
	return first
}

// split cuts a filter into words; parentheses and the signs for and, or and not are words of their own.
func split(text string) []string {
	signs := strings.NewReplacer("(", " ( ", ")", " ) ", "&&", " and ", "||", " or ", "!=", " != ", "!", " not ")
	return strings.Fields(signs.Replace(text))
}

// unanswered are words of the language that this package does not know.
var unanswered = []string{"vlan", "mpls", "pppoed", "pppoes", "geneve", "gateway", "sctp", "ah", "esp", "pim", "igmp", "igrp", "vrrp", "carp",
	"protochain", "inbound", "outbound", "ifindex", "ifname", "len", "llc", "stp", "iso", "decnet", "atalk", "aarp", "lat", "ipx",
	"netbeui", "fddi", "tr", "wlan", "link", "ppp", "slip", "radio", "rulenum", "reason", "action", "iface", "rset"}
