package tcpdump

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// Words for DNS (print-domain.c). Where there is none the number stands.
var (
	dnsOps   = []string{"", " inv_q", " stat", " op3", " notify", " update", " op6", " op7", " op8", " updateA", " updateD", " updateDA", " updateM", " updateMA", " zoneInit", " zoneRef"}
	dnsCodes = []string{"", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused", " YXDomain", " YXRRSet", " NXRRSet", " NotAuth", " NotZone", " Resp11", " Resp12", " Resp13", " Resp14", " NoChange"}
	dnsTypes = map[uint16]string{1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 28: "AAAA", 29: "LOC",
		33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 99: "SPF", 252: "AXFR", 255: "ANY"}
	dnsClasses = map[uint16]string{2: "CSNET", 3: "CHAOS", 4: "HS", 255: "ANY"}
)

// dnsHeader is the length of a message's header (RFC 1035 4.1.1).
const dnsHeader = 12

// dns prints a message of length bytes; multicast is for those of RFC 6762, where a bit of the class has a meaning of its own.
func (p *Printer) dns(b []byte, length int, multicast bool) {
	if length < dnsHeader || len(b) < dnsHeader {
		p.f("domain [length %d < %d] (invalid)", length, dnsHeader)
		return
	}
	id, flags := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	var counts [4]int // questions, answers, authorities, additional records
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(b[4+2*i:]))
	}
	op, code := dnsOps[flags>>11&0xf], dnsCodes[flags&0xf]
	set := func(bit int, mark string) string {
		if flags&bit != 0 {
			return mark
		}
		return ""
	}
	var err error
	if flags&0x8000 != 0 {
		ra := "-"
		if flags&0x80 != 0 {
			ra = ""
		}
		p.f("%d%s%s%s%s%s%s", id, op, code, set(0x400, "*"), ra, set(0x200, "|"), set(0x20, "$"))
		if counts[0] != 1 {
			p.f(" [%dq]", counts[0])
		}
		p.f(" %d/%d/%d", counts[1], counts[2], counts[3])
		err = p.answers(b, counts, multicast)
	} else {
		p.f("%d%s%s%s", id, op, set(0x100, "+"), set(0x10, "%"))
		if weird := flags & 0x6cf; weird != 0 {
			p.f(" [b2&3=0x%x]", flags)
		}
		err = p.questions(b, counts, multicast)
	}
	if err != nil {
		p.f(" [|domain]")
		return
	}
	p.f(" (%d)", length)
}

func (p *Printer) questions(b []byte, counts [4]int, multicast bool) error {
	for i, mark := range []string{"q", "a", "n", "au"} {
		if i == 0 && counts[1] > 0 {
			p.f(" [%da]", counts[1])
		}
		if i == 0 && counts[0] != 1 || i > 1 && counts[i] > 0 {
			p.f(" [%d%s]", counts[i], mark)
		}
	}
	at := dnsHeader
	for range counts[0] {
		name, kind, class, next, err := dnsQuestion(b, at)
		if err != nil {
			return err
		}
		at = next
		p.f(" %s%s? %s", dnsType(kind), dnsClass(class, multicast, " (QU)", " (QM)"), dnsText(name))
	}
	return nil
}

var errCutOff = errors.New("the message is cut off")

// dnsQuestion reads the question that begins at a place, and says where the next one does.
func dnsQuestion(b []byte, at int) (name string, kind, class uint16, next int, err error) {
	if name, next, err = dns.UnpackDomainName(b, at); err == nil && next+4 > len(b) {
		err = errCutOff
	}
	if err != nil {
		return "", 0, 0, at, err
	}
	return name, binary.BigEndian.Uint16(b[next:]), binary.BigEndian.Uint16(b[next+2:]), next + 4, nil
}

func (p *Printer) answers(b []byte, counts [4]int, multicast bool) error {
	at := dnsHeader
	for range counts[0] {
		var err error
		if _, _, _, at, err = dnsQuestion(b, at); err != nil {
			return err
		}
	}
	separator := ""
	for range counts[1] {
		_, kind, class, data, err := dnsQuestion(b, at) // a record begins like a question; its time to live and its length follow
		if err != nil || data+6 > len(b) {
			return errors.Join(err, errCutOff)
		}
		length := int(binary.BigEndian.Uint16(b[data+4:]))
		if at = data + 6 + length; at > len(b) {
			return errCutOff
		}
		text, err := dnsData(dns.RR_Header{Rrtype: kind, Rdlength: uint16(length)}, b[:at], data+6)
		if err != nil {
			return err
		}
		p.f("%s%s %s%s", separator, dnsClass(class, multicast, " (Cache flush)", ""), dnsType(kind), text)
		separator = ","
	}
	return nil
}

func dnsType(t uint16) string {
	if name, ok := dnsTypes[t]; ok {
		return name
	}
	return fmt.Sprintf("Type%d", t)
}

// dnsClass names a class that is not the Internet's. In multicast DNS its first bit is a wish.
func dnsClass(c uint16, multicast bool, set, unset string) (text string) {
	if multicast {
		text = unset
		if c&0x8000 != 0 {
			text = set
		}
		c &^= 0x8000
	}
	if c == dns.ClassINET {
		return text
	}
	name, ok := dnsClasses[c]
	if !ok {
		name = fmt.Sprintf("(Class %d)", c)
	}
	return text + " " + name
}

// dnsData is a record's data, which begins at a place in the message and ends with it; empty for types whose data is not shown.
func dnsData(h dns.RR_Header, message []byte, at int) (string, error) {
	switch h.Rrtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeNS, dns.TypePTR, dns.TypeMX, dns.TypeSRV, dns.TypeTXT:
	default:
		return "", nil
	}
	if h.Rdlength == 0 && h.Rrtype != dns.TypeTXT {
		return "", errCutOff
	}
	record, _, err := dns.UnpackRRWithHeader(h, message, at)
	switch r := record.(type) {
	case *dns.A:
		return " " + r.A.String(), err
	case *dns.AAAA:
		return " " + r.AAAA.String(), err
	case *dns.CNAME:
		return " " + dnsText(r.Target), err
	case *dns.NS:
		return " " + dnsText(r.Ns), err
	case *dns.PTR:
		return " " + dnsText(r.Ptr), err
	case *dns.MX:
		return fmt.Sprintf(" %s %d", dnsText(r.Mx), r.Preference), err
	case *dns.SRV:
		return fmt.Sprintf(" %s:%d %d %d", dnsText(r.Target), r.Port, r.Priority, r.Weight), err
	case *dns.TXT:
		var text strings.Builder
		for _, s := range r.Txt {
			text.WriteString(` "` + dnsText(s) + `"`)
		}
		return text.String(), err
	}
	return "", err
}

// dnsText shows a name or a text as it is in the message, of which package dns has escaped what a zone file would (RFC 1035 5.1).
func dnsText(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:min(i+4, len(s))], 10, 8); err == nil && i+3 < len(s) {
				b, i = append(b, byte(n)), i+3
				continue
			}
			i++
		}
		b = append(b, s[i])
	}
	return printable(string(b))
}

// printable shows bytes that a terminal would act upon as tcpdump does.
func printable(s string) string {
	return firstLine([]byte(strings.NewReplacer("\r", "^M", "\n", "^J").Replace(s)))
}
