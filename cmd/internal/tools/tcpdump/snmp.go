package tcpdump

import (
	"fmt"
	"strings"
)

// snmp prints a message of version 1 or 2c, and of version 3 its flags (RFC 3416; print-snmp.c). Names of objects are numbers.
func (p *Printer) snmp(b []byte) {
	p.f(" ")
	message, rest, ok := p.element(b)
	if !ok {
		return
	}
	if message.tag != tagSequence {
		p.f("[!init SEQ]")
		p.value(message)
		return
	}
	if len(rest) > 0 {
		p.f("[%d extra after iSEQ]", len(rest))
	}
	version, rest, ok := p.integer(message.data, "version")
	switch {
	case !ok:
	case version == 0 || version == 1:
		p.community(rest, version)
	case version == 3:
		p.snmp3(rest)
	default:
		p.f("SNMP [version = %d]", version)
	}
}

// element is one of ASN.1's (X.690): its identifier octet and its content.
type element struct {
	tag  byte
	data []byte
}

// Identifier octets: classes and forms are in the upper three bits.
const (
	tagInteger   = 0x02
	tagString    = 0x04
	tagNull      = 0x05
	tagObject    = 0x06
	tagSequence  = 0x30
	tagAddress   = 0x40
	tagCounter   = 0x41
	tagGauge     = 0x42
	tagTicks     = 0x43
	tagCounter64 = 0x46
)

// element takes an element off the front of b, or prints what is wrong with it.
func (p *Printer) element(b []byte) (e element, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
		p.f("[nothing to parse]")
		return e, nil, false
	case len(b) < 2:
		p.f("[no asnlen]")
		return e, nil, false
	}
	e.tag = b[0]
	n, rest := uint32(b[1]), b[2:]
	if n&0x80 != 0 {
		octets := int(n & 0x7f)
		if octets > len(rest) {
			p.f("[asnlen? %d<%d]", len(rest), octets)
			return e, nil, false
		}
		n = 0
		for _, c := range rest[:octets] {
			n = n<<8 | uint32(c)
		}
		rest = rest[octets:]
	}
	if uint64(n) > uint64(len(rest)) {
		p.f("[len%d<asnlen%d]", len(rest), n)
		return e, nil, false
	}
	e.data = rest[:n]
	return e, rest[n:], true
}

// integer takes an integer off the front of b; name says what it should be.
func (p *Printer) integer(b []byte, name string) (n int32, rest []byte, ok bool) {
	e, rest, ok := p.element(b)
	if !ok {
		return 0, nil, false
	}
	if e.tag != tagInteger {
		p.f("[%s!=INT]", name)
		p.value(e)
		return 0, nil, false
	}
	return e.signed(), rest, true
}

func (e element) signed() (n int32) {
	if len(e.data) > 0 && e.data[0]&0x80 != 0 {
		n = -1
	}
	for _, c := range e.data {
		n = n<<8 | int32(c)
	}
	return n
}

func (e element) unsigned() (n uint64) {
	for _, c := range e.data {
		n = n<<8 + uint64(c)
	}
	return n
}

// value prints an element.
func (p *Printer) value(e element) {
	switch e.tag {
	case tagInteger:
		p.f("%d", e.signed())
	case tagString:
		p.quoted(e.data)
	case tagNull:
	case tagObject:
		p.f("%s", object(e.data))
	case tagCounter, tagGauge, tagTicks:
		p.f("%d", uint32(e.unsigned()))
	case tagCounter64:
		p.f("%d", e.unsigned())
	case tagAddress:
		if len(e.data) != 4 {
			p.f("[inetaddr len!=4]")
		}
		p.f("%s", strings.Trim(strings.ReplaceAll(fmt.Sprint(e.data), " ", "."), "[]"))
	case tagSequence:
		p.f("Seq(%d)", len(e.data))
	case 0x80, 0x81, 0x82:
		p.f("[%s]", [...]string{"noSuchObject", "noSuchInstance", "endOfMibView"}[e.tag&3])
	default:
		for _, c := range e.data {
			p.f("_%.2x", c)
		}
	}
}

// quoted prints a string, or its octets where a terminal would act upon them.
func (p *Printer) quoted(b []byte) {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			p.f("%s", strings.ReplaceAll(fmt.Sprintf("% x", b), " ", "_"))
			return
		}
	}
	p.f(`"%s"`, b)
}

// object writes an object's identifier (X.690 8.19).
func object(b []byte) string {
	var text strings.Builder
	n, first := uint32(0), true
	for _, c := range b {
		if n = n<<7 | uint32(c&0x7f); c&0x80 != 0 {
			continue
		}
		if first {
			top := min(n/40, 2)
			fmt.Fprintf(&text, ".%d", top)
			n, first = n-40*top, false
		}
		fmt.Fprintf(&text, ".%d", n)
		n = 0
	}
	return text.String()
}

// community prints the rest of a message of version 1 or 2c.
func (p *Printer) community(b []byte, version int32) {
	e, rest, ok := p.element(b)
	switch {
	case !ok:
		return
	case e.tag != tagString:
		p.f("[comm!=STR]")
		p.value(e)
		return
	case string(e.data) != "public":
		p.f("C=")
		p.quoted(e.data)
		p.f(" ")
	}
	p.pdu(rest, version)
}

// snmp3 prints the header of a message of version 3 (RFC 3412 6); what is behind it is mostly encrypted.
func (p *Printer) snmp3(b []byte) {
	header, _, ok := p.element(b)
	if !ok {
		return
	}
	if header.tag != tagSequence {
		p.f("[!message]")
		p.value(header)
		return
	}
	_, rest, ok := p.integer(header.data, "msgID")
	if ok {
		_, rest, ok = p.integer(rest, "msgMaxSize")
	}
	if !ok {
		return
	}
	if flags, _, ok := p.element(rest); ok && flags.tag == tagString && len(flags.data) == 1 {
		f := flags.data[0]
		p.f("F=%s", strings.Join([]string{bits{{1, "a"}}.of(f, ""), bits{{2, "p"}}.of(f, ""), bits{{4, "r"}}.of(f, "")}, ""))
	}
}

// Kinds of requests and answers, by the lower bits of their tags.
const (
	pduResponse = 2
	pduTrap     = 4
	pduBulk     = 5
)

var (
	pduNames = []string{"GetRequest", "GetNextRequest", "GetResponse", "SetRequest", "Trap", "GetBulk", "Inform", "V2Trap", "Report"}
	pduFails = []string{"noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength", "wrongEncoding",
		"wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed", "undoFailed", "authorizationError", "notWritable",
		"inconsistentName"}
	trapNames = []string{"coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss", "enterpriseSpecific"}
)

// nameOf returns what a list calls a number.
func nameOf(list []string, n int32, form string) string {
	if n >= 0 && int(n) < len(list) {
		return list[n]
	}
	return fmt.Sprintf(form, n)
}

// pdu prints what is asked or answered.
func (p *Printer) pdu(b []byte, version int32) {
	e, rest, ok := p.element(b)
	kind := int32(e.tag & 0x1f)
	switch {
	case !ok:
		return
	case e.tag&0xe0 != 0xa0:
		p.f("[no PDU]")
		return
	case int(kind) >= len(pduNames):
		p.f("[id?C/Context/%d]", kind)
		return
	}
	if len(rest) > 0 {
		p.f("[%d extra after PDU]", len(rest))
	}
	p.f("%s(%d) ", pduNames[kind], len(e.data))
	switch {
	case version == 0 && kind >= pduBulk:
		p.f("[v2 PDU in v1 message]")
	case version == 1 && kind == pduTrap:
		p.f("[v1 PDU in v2 message]")
	case kind == pduTrap:
		p.trap(e.data)
	default:
		p.request(e.data, kind)
	}
}

// request prints everything but a trap of version 1.
func (p *Printer) request(b []byte, kind int32) {
	_, rest, ok := p.integer(b, "reqId")
	if !ok {
		return
	}
	status, rest, ok := p.integer(rest, "errorStatus")
	if !ok {
		return
	}
	switch {
	case kind == pduBulk:
		p.f(" N=%d", status)
	case status == 0:
	case kind == pduResponse:
		p.f(" %s", nameOf(pduFails, status, "err=%d"))
	default:
		p.f("[errorStatus(%s)!=0]", nameOf(pduFails, status, "err=%d"))
	}
	index, rest, ok := p.integer(rest, "errorIndex")
	if !ok {
		return
	}
	switch {
	case kind == pduBulk:
		p.f(" M=%d", index)
	case kind != pduResponse && index != 0:
		p.f("[errorIndex(%d)!=0]", index)
	case index != 0 && status == 0:
		p.f("[errorIndex(%d) w/o errorStatus]", index)
	case index != 0:
		p.f("@%d", index)
	case kind == pduResponse && status != 0:
		p.f("[errorIndex==0]")
	}
	p.variables(rest, kind == 0 || kind == 1 || kind == pduBulk)
}

// trap prints a trap of version 1 (RFC 1157 4.1.6).
func (p *Printer) trap(b []byte) {
	p.f(" ")
	enterprise, rest, ok := p.element(b)
	if !ok {
		return
	}
	p.value(enterprise)
	p.f(" ")
	agent, rest, ok := p.element(rest)
	if !ok {
		return
	}
	p.value(agent)
	generic, rest, ok := p.integer(rest, "generic-trap")
	if !ok {
		return
	}
	p.f(" %s", nameOf(trapNames, generic, "gt=%d"))
	specific, rest, ok := p.integer(rest, "specific-trap")
	switch {
	case !ok:
		return
	case generic == 6:
		p.f(" s=%d", specific)
	case specific != 0:
		p.f("[specific-trap(%d)!=0]", specific)
	}
	p.f(" ")
	stamp, rest, ok := p.element(rest)
	if !ok {
		return
	}
	p.value(stamp)
	p.variables(rest, false)
}

// variables prints names, and values unless they are asked for.
func (p *Printer) variables(b []byte, asked bool) {
	list, rest, ok := p.element(b)
	if !ok {
		return
	}
	if list.tag != tagSequence {
		p.f("[!SEQ of varbind]")
		p.value(list)
		return
	}
	if len(rest) > 0 {
		p.f("[%d extra after SEQ of varbind]", len(rest))
	}
	for b = list.data; len(b) > 0; {
		p.f(" ")
		var pair, name, value element
		if pair, b, ok = p.element(b); !ok {
			return
		}
		if pair.tag != tagSequence {
			p.f("[!varbind]")
			p.value(pair)
			return
		}
		name, rest, ok = p.element(pair.data)
		if !ok {
			return
		}
		if name.tag != tagObject {
			p.f("[objName!=OID]")
			p.value(name)
			return
		}
		p.value(name)
		if !asked {
			p.f("=")
		}
		if value, _, ok = p.element(rest); !ok {
			return
		}
		if asked && value.tag != tagNull {
			p.f("[objVal!=NULL]")
		}
		p.value(value)
	}
}
