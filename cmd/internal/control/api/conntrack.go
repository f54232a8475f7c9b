package api

import "net/url"

// ConnFilter chooses connections, by what conntrack's options of these names choose by. Empty fields ask for nothing.
type ConnFilter struct {
	Proto              string // tcp, udp, icmp or a number
	OrigSrc, OrigDst   string // addresses or prefixes
	ReplySrc, ReplyDst string
	Sport, Dport       string // of the original direction
	SNAT, DNAT         bool   // only translated ones
}

// ParseConnFilter reads what Query has written; whether its texts mean anything is for the caller to say.
func ParseConnFilter(q url.Values) ConnFilter {
	f := ConnFilter{SNAT: q.Has("src-nat"), DNAT: q.Has("dst-nat")}
	for key, value := range f.fields() {
		*value = q.Get(key)
	}
	return f
}

// fields names the filter's texts as the query does.
func (f *ConnFilter) fields() map[string]*string {
	return map[string]*string{"proto": &f.Proto, "orig-src": &f.OrigSrc, "orig-dst": &f.OrigDst,
		"reply-src": &f.ReplySrc, "reply-dst": &f.ReplyDst, "sport": &f.Sport, "dport": &f.Dport}
}

// Query returns the filter as a query.
func (f ConnFilter) Query() url.Values {
	q := url.Values{}
	for key, value := range f.fields() {
		if *value != "" {
			q.Set(key, *value)
		}
	}
	if f.SNAT {
		q.Set("src-nat", "1")
	}
	if f.DNAT {
		q.Set("dst-nat", "1")
	}
	return q
}
