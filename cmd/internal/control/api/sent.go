package api

import (
	"fmt"
	"strings"

	"uswitch/switch/trace"
)

// Asked is a question that is to be sent for real, with what was predicted of it.
type Asked struct {
	Question  Question `json:"question"`
	Predicted Verdict  `json:"predicted"`
	Address   string   `json:"address,omitempty"` // of the destination, where a name has led there; else the question says it
}

// Sent is what became of a packet that was really sent from inside a host.
type Sent struct {
	Verdict    Verdict `json:"verdict"`
	Heard      string  `json:"heard"`                // what the sender heard
	From       string  `json:"source,omitempty"`     // the address that the sender's kernel took for itself
	Packet     uint64  `json:"packet,omitempty"`     // its journey in the trace; 0: the trace has none
	Ended      *Stop   `json:"ended,omitempty"`      // where the trace saw it, or its answer, dropped
	Arrived    string  `json:"arrived,omitempty"`    // the host to whose interface the trace saw it delivered
	Lost       uint64  `json:"lost,omitempty"`       // steps that the trace has lost meanwhile
	Unanswered bool    `json:"unanswered,omitempty"` // a datagram that arrived, and who got it said nothing
	Differs    bool    `json:"differs"`              // the prediction was the opposite
	Unknown    string  `json:"unknown,omitempty"`    // why the verdict is NotKnown
	Tried      Verdict `json:"predicted"`
}

// Settle has the packet that was really sent decide. What was predicted stays as it is, but for the verdict and the sentence.
func (a *Answer) Settle(in trace.Language, s *Sent) {
	a.Sent, a.Predicted, a.Verdict, a.Works = s, a.Verdict, s.Verdict, s.Verdict == Yes
	if s.Verdict == NotKnown {
		a.Unknown = s.Unknown
		a.Sentence = in("Not known: %s.", s.Unknown)
		return
	}
	a.Unknown = ""
	a.Sentence = s.sentence(in, a)
}

// sentence is the answer of a packet that was sent, beside what was predicted.
func (s *Sent) sentence(in trace.Language, a *Answer) string {
	what := in("a real packet was not answered (%s)", s.why(in))
	switch {
	case s.Verdict == Yes && s.Unanswered:
		what = in("a real datagram was delivered to %s, and nothing was heard, as is usual with UDP", s.Arrived)
	case s.Verdict == Yes:
		what = in("a real packet was answered")
	}
	switch {
	case s.Differs:
		return in("The prediction was wrong: %s, although it said: %s", what, a.Sentence)
	case s.Verdict == Yes && (s.Unanswered || a.Predicted == NotKnown):
		return in("It works: %s.", what)
	case s.Verdict == No && a.Predicted == NotKnown:
		return in("It does not work: %s.", what)
	case s.Verdict == No:
		what = in("a real packet was not answered")
	}
	return in("%s. As predicted, %s.", strings.TrimSuffix(a.Sentence, "."), what)
}

// why says what is known of a packet that was not answered.
func (s *Sent) why(in trace.Language) string {
	switch {
	case s.Ended != nil:
		return in("dropped at %s %s: %s", s.Ended.Where, s.Ended.Type, s.Ended.Sentence)
	case s.Packet == 0 && s.Lost == 0:
		return in("it heard %s; nothing left the host", s.Heard)
	case s.Arrived != "":
		return in("it heard %s; the question was delivered to %s", s.Heard, s.Arrived)
	}
	return in("it heard %s", s.Heard)
}

// Matrix is who reaches whom.
type Matrix struct {
	From  []string `json:"from"`
	To    []Column `json:"to"`
	Cells [][]Cell `json:"cells"` // by From and To
}

// Column is something that can be reached.
type Column struct {
	To       string `json:"to"` // a host's name, gateway, or an address
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port,omitempty"`
}

// String returns the column's title: BLUE tcp 80.
func (c Column) String() string {
	if c.Protocol == "icmp" {
		return c.To
	}
	return fmt.Sprintf("%s %s %d", c.To, c.Protocol, c.Port)
}

// Cell is whether somebody reaches something.
type Cell struct {
	Self     bool    `json:"self,omitempty"` // nobody asks itself, and what goes from outside to outside is no business of the lab's
	Verdict  Verdict `json:"verdict,omitempty"`
	Works    bool    `json:"works"`
	Unknown  string  `json:"unknown,omitempty"` // why the verdict is NotKnown
	Reason   string  `json:"reason,omitempty"`  // the name of what is in the way
	Where    string  `json:"where,omitempty"`
	Way      Way     `json:"way,omitempty"`
	Sentence string  `json:"sentence,omitempty"`
	// Where a real packet was sent, that has decided the verdict and Works; Reason, Where, Way and Sentence are the prediction.
	Predicted Verdict `json:"predicted,omitempty"`
	Sent      *Sent   `json:"sent,omitempty"`
}

// Settle has the packet that was really sent decide.
func (c *Cell) Settle(in trace.Language, s *Sent) {
	c.Sent, c.Predicted, c.Verdict, c.Works, c.Unknown = s, c.Verdict, s.Verdict, s.Verdict == Yes, s.Unknown
	switch {
	case s.Verdict == Yes:
		c.Reason, c.Where, c.Way, c.Sentence = "", "", "", ""
	case s.Ended != nil:
		c.Reason, c.Where, c.Way, c.Sentence = s.Ended.Reason, s.Ended.Where, s.Ended.Way, s.Ended.Sentence
	case s.Verdict == No && c.Reason == "":
		c.Reason, c.Way = NotAnswered, There
		c.Sentence = in("a real packet was not answered, and what stopped it is nothing that the switch can see")
	}
}

// Asked returns the questions of all cells for which a packet can be sent, with the cells that they are for. They go round among
// the hosts, so that none is left out where there is no time for all.
func (m *Matrix) Asked() (all []Asked, cells []*Cell) {
	for k := range m.To {
		for i, from := range m.From {
			j := (i + k) % len(m.To)
			to, c := m.To[j], &m.Cells[i][j]
			if c.Self || from == Outsider || c.Reason == NoAddress {
				continue
			}
			all = append(all, Asked{Question: Question{From: from, To: to.To, Protocol: to.Protocol, Port: to.Port}, Predicted: c.Verdict})
			cells = append(cells, c)
		}
	}
	return all, cells
}

// Text is what stands in the cell: yes, the reason's name, or nothing.
func (c Cell) Text() string {
	switch {
	case c.Self:
		return "-"
	case c.Sent != nil && c.Sent.Differs:
		return map[bool]string{true: "yes", false: c.Reason}[c.Works] + " !"
	case c.Works:
		return "yes"
	case c.Verdict == NotKnown:
		return "?"
	}
	return c.Reason
}

// Reasons that no switch could have, because nothing is ever sent.
const (
	NotRouted = "not-routed" // the outside does not know the lab's own networks
	NoAddress = "no-address"
	// NotAnswered is what only a packet that was really sent can find out.
	NotAnswered = "not-answered"
)
