package api

import "time"

// EventsPath is where what happens can be followed, as server-sent events. All who follow read one bounded ring of the lab's, in which
// each step has its place. The id of an event says up to where everything was told: who sends it back as Last-Event-ID, or as ?after=,
// is told what came behind it, perhaps some of that for a second time, and what is forgotten by then is a gap. The data of an event is
// JSON by its name:
//
//	hello    an EventsHello, once, at the beginning
//	journey  a Journey
//	note     a Note: what was folded
//	gap      a Gap: what cannot be told any more
const EventsPath = "/v1/events"

// CapturedPath is where a pcapng file is sent to that uswitch has written, to be told as journeys: a Captured.
const CapturedPath = "/v1/captured"

// Captured is what a capture tells. It has the steps and no tables; hosts have no names in it but where the steps are.
type Captured struct {
	Journeys []Journey `json:"journeys"`
	Lost     uint64    `json:"lost,omitempty"` // steps that the capture has lost; of which packets is not known
}

// PastPath is where the tables of an earlier moment are asked for, by the time of a packet's step: a Past.
const PastPath = "/v1/past"

// Past is what the tables were. They are looked at whenever packets have passed, while somebody follows EventsPath: what it says is
// the first look after the time that was asked for, so a table may have changed in between; Taken says how much later that was.
type Past struct {
	Taken     time.Time  `json:"taken"`
	Before    *time.Time `json:"before,omitempty"` // when they were looked at before that
	FDB       []FDBEntry `json:"fdb"`
	Neighbors []Neighbor `json:"neigh"`
	Conns     []Conn     `json:"conntrack"`
	Rules     string     `json:"rules"`               // as iptables-save -c prints them, IPv4's
	TooLarge  []string   `json:"too_large,omitempty"` // tables that had too many rows to be kept
}

// The names of events.
const (
	EventHello   = "hello"
	EventJourney = "journey"
	EventNote    = "note"
	EventGap     = "gap"
)

// EventsHello says what will follow.
type EventsHello struct {
	Now    time.Time `json:"now"`    // by the lab's clock
	Oldest uint64    `json:"oldest"` // place of the first step that is remembered
	Newest uint64    `json:"newest"` // and of the last one; less than Oldest if there is none
}

// Journey is a stretch of a packet's way that has come to rest.
type Journey struct {
	Packet uint64 `json:"packet"`
	GoesOn bool   `json:"goes_on,omitempty"` // the packet has had a stretch before this one
	From   string `json:"from"`              // RED, everyone, 8.8.8.8, or a MAC address
	To     string `json:"to"`
	Proto  string `json:"proto"` // ARP, ICMP, TCP ...
	What   string `json:"what"`  // echo request, id 7 seq 1, ttl 64
	Length int    `json:"length"`
	IP     bool   `json:"ip,omitempty"` // the packet was in no frame
	Steps  []Step `json:"steps"`
}

// Note is a line between journeys: ... 12 more of connection 3, 1.2 kB.
type Note struct {
	Text string `json:"text"`
}

// Gap stands for steps that were forgotten before they could be told.
type Gap struct {
	From  uint64 `json:"from,omitempty"` // places of the first and the last of them
	To    uint64 `json:"to,omitempty"`
	Count uint64 `json:"count,omitempty"` // 0: how many there were is not known
	Text  string `json:"text"`
}
