package trace

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"uswitch/switch/frame"
)

// JSON is a Sink that writes one object a line. The keys and their order are a contract.
type JSON struct {
	w   io.Writer
	enc *json.Encoder
	in  Language
}

// NewJSON returns a JSON that writes to w, one Write a line. Its text is in a language, and nothing else is.
func NewJSON(w io.Writer, in Language) *JSON {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // a sentence with ">" in it should stay readable
	return &JSON{w, enc, in}
}

// record is the line of one event. What an event does not have is left out.
type record struct {
	Time      string     `json:"time"` // RFC 3339 with nanoseconds, UTC
	Packet    uint64     `json:"packet"`
	Hop       uint32     `json:"hop"`
	Hook      string     `json:"hook"`
	Verdict   string     `json:"verdict"`
	Reason    string     `json:"reason,omitempty"`
	Where     string     `json:"where"`
	Port      string     `json:"port,omitempty"`
	Ports     []string   `json:"ports,omitempty"` // of a flood, those that got a copy; of a loop, those behind which a station is heard
	Rule      string     `json:"rule,omitempty"`
	Conn      uint64     `json:"conn,omitempty"`
	Before    *jsonTuple `json:"before,omitempty"`
	After     *jsonTuple `json:"after,omitempty"`
	ARP       *jsonARP   `json:"arp,omitempty"`
	Outer     *jsonOuter `json:"outer,omitempty"`
	SrcMAC    *frame.MAC `json:"src_mac,omitempty"`
	DstMAC    *frame.MAC `json:"dst_mac,omitempty"`
	EtherType string     `json:"ethertype,omitempty"`
	Length    int        `json:"length"`
	Text      string     `json:"text"`
}

// Event implements Sink.
func (j *JSON) Event(e *Event) error {
	r := record{
		Time: e.Time.UTC().Format(time.RFC3339Nano), Packet: e.Packet, Hop: e.Hop,
		Hook: e.Hook.String(), Verdict: e.Verdict.String(),
		Where: e.Where, Port: e.Port, Rule: e.Rule, Conn: e.Conn,
		Length: e.length(), Text: e.Text(j.in),
	}
	r.Before, r.After, r.ARP = e.addressed()
	if o := e.Outer; o.IsValid() {
		r.Outer = &jsonOuter{Src: o.Src.Addr().String(), SrcPort: o.Src.Port(), Dst: o.Dst.Addr().String(), DstPort: o.Dst.Port(), VNI: o.VNI}
	}
	if e.Verdict == Drop {
		r.Reason = e.Reason.String()
	}
	for _, port := range e.Ports {
		if port != e.Port || e.Note == Looped {
			r.Ports = append(r.Ports, port)
		}
	}
	if e.Local {
		r.Ports = append(r.Ports, "gateway")
	}
	if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
		src, dst := eth.Src(), eth.Dst()
		r.SrcMAC, r.DstMAC, r.EtherType = &src, &dst, fmt.Sprintf("0x%04x", eth.Type())
	}
	return j.enc.Encode(r)
}

// Lost implements Sink: {"lost":12} stands on a line of its own.
func (j *JSON) Lost(n uint64) error {
	_, err := fmt.Fprintf(j.w, "{\"lost\":%d}\n", n)
	return err
}

// Idle implements Sink; nothing waits here.
func (j *JSON) Idle(time.Time) error { return nil }

// Flush implements Sink; nothing waits here.
func (j *JSON) Flush() error { return nil }

// jsonTuple has ports where the protocol has ports and the packet shows them; an ICMP message has its type and code, and an
// identifier if it is a query's.
type jsonTuple struct {
	Proto   string  `json:"proto"`
	Src     string  `json:"src"`
	SrcPort *uint16 `json:"sport,omitempty"`
	Dst     string  `json:"dst"`
	DstPort *uint16 `json:"dport,omitempty"`
	Type    *uint8  `json:"type,omitempty"`
	Code    *uint8  `json:"code,omitempty"`
	ID      *uint16 `json:"id,omitempty"`
}

// jsonARP is what an ARP packet asks or answers: op is request, reply or a number, src and dst are the IP addresses of the
// sender and of the target.
type jsonARP struct {
	Op  string `json:"op"`
	Src string `json:"src"`
	Dst string `json:"dst"`
}

// addressed returns whom the event's frame is from and to, as the network layer has it: before on every IP packet, after
// besides on one that is rewritten, arp on an ARP packet. A VLAN tag in front is passed over.
func (e *Event) addressed() (before, after *jsonTuple, arp *jsonARP) {
	etherType, payload, _ := e.layers()
	if etherType == frame.TypeVLAN && len(payload) >= 4 {
		etherType, payload = binary.BigEndian.Uint16(payload[2:]), payload[4:]
	}
	switch etherType {
	case frame.TypeARP:
		if a, ok := frame.ParseARP(payload); ok {
			arp = &jsonARP{Op: opName(a.Op()), Src: a.SenderIP().String(), Dst: a.TargetIP().String()}
		}
		return nil, nil, arp
	}
	p, shown := frame.IP(nil), false
	if etherType == frame.TypeIPv4 || etherType == frame.TypeIPv6 {
		p, shown = frame.ParseClippedIP(payload)
	}
	t := e.Before
	if t == (frame.Tuple{}) && shown {
		t, _ = p.Tuple()
	}
	if !shown {
		p = nil
	}
	return tupleJSON(t, p), tupleJSON(e.After, p), nil
}

// jsonOuter is what a frame travels in between two machines.
type jsonOuter struct {
	Src     string `json:"src"`
	SrcPort uint16 `json:"sport"`
	Dst     string `json:"dst"`
	DstPort uint16 `json:"dport"`
	VNI     uint32 `json:"vni"`
}

func opName(op uint16) string {
	switch op {
	case frame.ARPRequest:
		return "request"
	case frame.ARPReply:
		return "reply"
	}
	return strconv.Itoa(int(op))
}

// tupleJSON writes a tuple of the packet p, which is nil if its bytes are not there.
func tupleJSON(t frame.Tuple, p frame.IP) *jsonTuple {
	if t == (frame.Tuple{}) {
		return nil
	}
	j := &jsonTuple{Proto: frame.ProtoName(t.Proto), Src: t.Src().String(), Dst: t.Dst().String()}
	var transport []byte
	whole := p == nil || p.FragmentOffset() == 0
	if p != nil && whole {
		transport = p.Payload()
	}
	switch {
	case t.HasPorts() && whole:
		j.SrcPort, j.DstPort = &t.SrcPort, &t.DstPort
	case frame.IsICMP(t.Proto) && p == nil:
		j.ID = &t.SrcPort
	case frame.IsICMP(t.Proto) && len(transport) >= 2:
		kind, code := transport[0], transport[1]
		j.Type, j.Code = &kind, &code
		if p.IsICMPQuery() {
			j.ID = &t.SrcPort
		}
	}
	return j
}
