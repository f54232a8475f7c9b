package api

import (
	"net/url"
	"strconv"
	"time"
)

// LogLine is a line that a host's command has written.
type LogLine struct {
	Number  uint64    `json:"number"`  // from 1, in the order in which the lab's hosts have written
	Ordinal uint64    `json:"ordinal"` // from 1, among the lines of this host: where one is missing, lines were forgotten
	Time    time.Time `json:"time"`
	Host    string    `json:"host"`
	Text    string    `json:"text"`
	// Lost is how many lines of the host before this one were forgotten before they could be read.
	Lost uint64 `json:"lost,omitempty"`
}

// LogQuery says which of the lines that hosts have written are wanted.
type LogQuery struct {
	Hosts  []string
	Tail   int  // the last so many of each host; negative: all that are remembered
	Follow bool // and those that come
}

// Query returns it as a query.
func (l LogQuery) Query() url.Values {
	q := url.Values{"host": l.Hosts}
	if l.Tail >= 0 {
		q.Set("tail", strconv.Itoa(l.Tail))
	}
	if l.Follow {
		q.Set("follow", "1")
	}
	return q
}
