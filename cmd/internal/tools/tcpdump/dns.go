package tcpdump

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Words for DNS (print-domain.c). Where there is none the number stands.
var (
	dnsOps   = []string{"", " inv_q", " stat", " op3", " notify", " update", " op6", " op7", " op8", " updateA", " updateD", " updateDA", " updateM", " updateMA", " zoneInit", " zoneRef"}
	dnsCodes = []string{"", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused", " YXDomain", " YXRRSet", " NXRRSet", " NotAuth", " NotZone", " Resp11", " Resp12", " Resp13", " Resp14", " NoChange"}
	dnsTypes = map[dnsmessage.Type]string{1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 28: "AAAA", 29: "LOC",
		33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 99: "SPF", 252: "AXFR", 255: "ANY"}
	dnsClasses = map[dnsmessage.Class]string{2: "CSNET", 3: "CHAOS", 4: "HS", 255: "ANY"}
)

// dnsHeader is the length of a message's header (RFC 1035 4.1.1).
const dnsHeader = 12

// dns prints a message of length bytes; multicast is for those of RFC 6762, where a bit of the class has a meaning of its own.
func (p *Printer) dns(b []byte, length int, multicast bool) {
	if length < dnsHeader || len(b) < dnsHeader {
		p.f("domain [length %d < %d] (invalid)", length, dnsHeader)
		return
	}
	var parser dnsmessage.Parser
	h, err := parser.Start(b)
	if err != nil {
		p.f("[|domain]")
		return
	}
	flags := int(b[2])<<8 | int(b[3])
	var counts [4]int // questions, answers, authorities, additional records
	for i := range counts {
		counts[i] = int(b[4+2*i])<<8 | int(b[5+2*i])
	}
	op, code := dnsOps[flags>>11&0xf], dnsCodes[flags&0xf]
	set := func(bit int, mark string) string {
		if flags&bit != 0 {
			return mark
		}
		return ""
	}
	if h.Response {
		ra := "-"
		if h.RecursionAvailable {
			ra = ""
		}
		p.f("%d%s%s%s%s%s%s", h.ID, op, code, set(0x400, "*"), ra, set(0x200, "|"), set(0x20, "$"))
		if counts[0] != 1 {
			p.f(" [%dq]", counts[0])
		}
		p.f(" %d/%d/%d", counts[1], counts[2], counts[3])
		err = p.answers(&parser, multicast)
	} else {
		p.f("%d%s%s%s", h.ID, op, set(0x100, "+"), set(0x10, "%"))
		if weird := flags & 0x6cf; weird != 0 {
			p.f(" [b2&3=0x%x]", flags)
		}
		err = p.questions(&parser, counts, multicast)
	}
	if err != nil {
		p.f(" [|domain]")
		return
	}
	p.f(" (%d)", length)
}

func (p *Printer) questions(parser *dnsmessage.Parser, counts [4]int, multicast bool) error {
	for i, mark := range []string{"q", "a", "n", "au"} {
		if i == 0 && counts[1] > 0 {
			p.f(" [%da]", counts[1])
		}
		if i == 0 && counts[0] != 1 || i > 1 && counts[i] > 0 {
			p.f(" [%d%s]", counts[i], mark)
		}
	}
	for range counts[0] {
		q, err := parser.Question()
		if err != nil {
			return err
		}
		p.f(" %s%s? %s", dnsType(q.Type), dnsClass(q.Class, multicast, " (QU)", " (QM)"), printable(q.Name.String()))
	}
	return nil
}

func (p *Printer) answers(parser *dnsmessage.Parser, multicast bool) error {
	if err := parser.SkipAllQuestions(); err != nil {
		return err
	}
	for separator := ""; ; separator = "," {
		r, err := parser.Answer()
		if err == dnsmessage.ErrSectionDone {
			return nil
		}
		if err != nil {
			return err
		}
		p.f("%s%s %s%s", separator, dnsClass(r.Header.Class, multicast, " (Cache flush)", ""), dnsType(r.Header.Type), dnsData(r.Body))
	}
}

func dnsType(t dnsmessage.Type) string {
	if name, ok := dnsTypes[t]; ok {
		return name
	}
	return fmt.Sprintf("Type%d", t)
}

// dnsClass names a class that is not the Internet's. In multicast DNS its first bit is a wish.
func dnsClass(c dnsmessage.Class, multicast bool, set, unset string) (text string) {
	if multicast {
		text = unset
		if c&0x8000 != 0 {
			text = set
		}
		c &^= 0x8000
	}
	if c == dnsmessage.ClassINET {
		return text
	}
	name, ok := dnsClasses[c]
	if !ok {
		name = fmt.Sprintf("(Class %d)", c)
	}
	return text + " " + name
}

// dnsData prints a record's data.
func dnsData(body dnsmessage.ResourceBody) string {
	switch r := body.(type) {
	case *dnsmessage.AResource:
		return " " + netip.AddrFrom4(r.A).String()
	case *dnsmessage.AAAAResource:
		return " " + netip.AddrFrom16(r.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return " " + printable(r.CNAME.String())
	case *dnsmessage.NSResource:
		return " " + printable(r.NS.String())
	case *dnsmessage.PTRResource:
		return " " + printable(r.PTR.String())
	case *dnsmessage.MXResource:
		return fmt.Sprintf(" %s %d", printable(r.MX.String()), r.Pref)
	case *dnsmessage.SRVResource:
		return fmt.Sprintf(" %s:%d %d %d", printable(r.Target.String()), r.Port, r.Priority, r.Weight)
	case *dnsmessage.TXTResource:
		var text strings.Builder
		for _, s := range r.TXT {
			text.WriteString(` "` + printable(s) + `"`)
		}
		return text.String()
	}
	return ""
}

// printable shows bytes that a terminal would act upon as tcpdump does.
func printable(s string) string {
	return firstLine([]byte(strings.NewReplacer("\r", "^M", "\n", "^J").Replace(s)))
}
