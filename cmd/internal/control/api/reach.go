package api

import (
	"net/netip"
	"net/url"
)

// ReachQuery says what is asked besides what the lab itself shows.
type ReachQuery struct {
	Outside netip.Addr // an address outside that hosts try to ping; invalid: none
	Send    bool       // real packets settle what can be sent
}

// Query returns it as a query.
func (r ReachQuery) Query() url.Values {
	q := url.Values{}
	if r.Outside.IsValid() {
		q.Set("outside", r.Outside.String())
	}
	if r.Send {
		q.Set("send", "1")
	}
	return q
}
