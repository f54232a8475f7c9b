package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"uswitch/switch/frame"
)

// JSON is a Sink that writes one object a line. The keys and their order are a contract.
type JSON struct {
	w   io.Writer
	enc *json.Encoder
}

// NewJSON returns a JSON that writes to w, one Write a line.
func NewJSON(w io.Writer) *JSON {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // a sentence with ">" in it should stay readable
	return &JSON{w, enc}
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
		Length: e.length(), Text: e.Text(),
	}
	r.Before, r.After, r.ARP = e.addressed()
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
