package api

import (
	"net/url"
	"strconv"
	"time"

	"uswitch/switch/trace"
)

// StepQuery says which packets are to be paused, and how.
type StepQuery struct {
	Filter   trace.FilterSpec // which packets; its Hooks are where they stop first, everywhere if there are none
	Max      int              // packets that are paused at once; 0: 64
	Patience time.Duration    // after so long at one stop a packet goes on by itself; 0: one minute
}

// Query returns it as a query.
func (t StepQuery) Query() url.Values {
	q := TraceQuery{Filter: t.Filter}.Query()
	q.Del("format")
	if t.Max != 0 {
		q.Set("max", strconv.Itoa(t.Max))
	}
	if t.Patience != 0 {
		q.Set("patience", t.Patience.String())
	}
	return q
}

// Step is a step of a packet as the trace tells it, with the packet's bytes. Replays are made of them too.
type Step struct {
	Time    time.Time `json:"time"`
	Packet  uint64    `json:"packet"`
	Hop     uint32    `json:"hop,omitempty"`
	Where   string    `json:"where"` // Where and What name the step in two words: RED ingress, br0 flood
	What    string    `json:"what"`
	Hook    string    `json:"hook,omitempty"`
	Verdict string    `json:"verdict,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Place   string    `json:"place,omitempty"` // the network's name, gateway, or the uplink's name
	Port    string    `json:"port,omitempty"`  // the port it concerns
	Ports   []string  `json:"ports,omitempty"` // of a flood, those that got a copy
	Rule    string    `json:"rule,omitempty"`  // the rule that decided, or the policy
	Chain   string    `json:"chain,omitempty"` // where that stands
	Conn    uint64    `json:"conn,omitempty"`
	Text    string    `json:"text"`    // the sentence
	Summary string    `json:"summary"` // RED > 8.8.8.8  ICMP echo request, id 7 seq 1, ttl 64
	Length  int       `json:"length"`
	IP      bool      `json:"ip,omitempty"` // Data is an IP packet, with no Ethernet header
	Data    []byte    `json:"data"`         // the beginning of the packet as it is after the step
}

// The kinds of a StepEvent.
const (
	StepBegun   = "begun"   // packets are paused from now on; Session is what StepRequest wants
	StepStopped = "stopped" // a packet has taken a step and waits
	StepPassed  = "passed"  // a packet has taken a step and does not wait
	StepEnded   = "ended"   // a packet has come to the end of its way, or waits for an answer
)

// StepEvent is a line of GET /v1/step.
type StepEvent struct {
	Kind    string `json:"kind"`
	Session uint64 `json:"session,omitempty"`
	Leg     uint64 `json:"leg,omitempty"`  // what StepRequest calls the packet
	Step    *Step  `json:"step,omitempty"` // of stopped and passed

	Changed *Changes `json:"changed,omitempty"` // what the packet has changed since its last step
	Next    *Tables  `json:"next,omitempty"`    // of stopped: what will be looked at next, as it is

	Held   int    `json:"held"`             // packets that are paused at the moment, this one among them
	Passed uint64 `json:"passed,omitempty"` // packets so far that passed by because too many were paused
	Late   bool   `json:"late,omitempty"`   // of ended: it went on by itself because nobody let it for too long
	Fault  string `json:"fault,omitempty"`  // of ended: the code failed on it
}

// StepRequest is the body of POST /v1/step: it lets a packet that waits go on.
type StepRequest struct {
	Session uint64 `json:"session"`
	Leg     uint64 `json:"leg"`
	Run     bool   `json:"run,omitempty"` // to the end of its way; otherwise to its next step
}

// Tables are those rows of the lab's tables that concern a packet.
type Tables struct {
	FDB    []FDBEntry `json:"fdb,omitempty"`
	Neigh  []Neighbor `json:"neigh,omitempty"`
	Conns  []Conn     `json:"conntrack,omitempty"`
	Ports  []Port     `json:"ports,omitempty"`
	Drops  []Drop     `json:"drops,omitempty"`
	Routes []Route    `json:"routes,omitempty"`
	Rules  []string   `json:"rules,omitempty"`  // of the chain that is next, as iptables -S prints them
	Looked []string   `json:"looked,omitempty"` // of Next: the names of the tables, also of those without such a row
}

// Changes are rows that a packet has changed.
type Changes struct {
	FDB   []Change[FDBEntry] `json:"fdb,omitempty"`
	Neigh []Change[Neighbor] `json:"neigh,omitempty"`
	Conns []Change[Conn]     `json:"conntrack,omitempty"`
	Ports []Change[Port]     `json:"ports,omitempty"`
	Drops []Change[Drop]     `json:"drops,omitempty"`
}

// Change is a row before and after: nil where there was, or is, none.
type Change[T any] struct {
	Before *T `json:"before,omitempty"`
	After  *T `json:"after,omitempty"`
}
