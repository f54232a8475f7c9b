package api

import (
	"net/url"
	"strconv"
	"uswitch/switch/trace"
)

// QueueEvents is how many steps the queue between the lab and one listener holds.
const QueueEvents = 8192

// TraceQuery says what of the trace is wanted, and how.
type TraceQuery struct {
	Format string // text, json or pcapng
	Filter trace.FilterSpec
	Width  int // of text, in columns
	Colour bool
	NoFold bool
	Snap   int // bytes of each frame in a capture; 0: all
}

// Query returns it as a query.
func (t TraceQuery) Query() url.Values {
	q := url.Values{"format": {t.Format}, "host": t.Filter.Hosts, "from": t.Filter.From, "hook": t.Filter.Hooks}
	for key, value := range map[string]string{"port": t.Filter.Port, "proto": t.Filter.Proto} {
		if value != "" {
			q.Set(key, value)
		}
	}
	for key, value := range map[string]bool{"drops": t.Filter.Drops, "colour": t.Colour, "no-fold": t.NoFold} {
		if value {
			q.Set(key, "1")
		}
	}
	for key, value := range map[string]int{"width": t.Width, "snap": t.Snap} {
		if value != 0 {
			q.Set(key, strconv.Itoa(value))
		}
	}
	return q
}
