package api

import "net/url"

// RestoreOptions are those of iptables-restore.
type RestoreOptions struct {
	Table    string // only this one of the input; empty: all
	NoFlush  bool   // the rules that are there stay
	Counters bool   // are taken over
	Test     bool   // nothing changes
}

// Query returns them as a query.
func (o RestoreOptions) Query() url.Values {
	q := url.Values{}
	for key, value := range map[string]bool{"noflush": o.NoFlush, "counters": o.Counters, "test": o.Test} {
		if value {
			q.Set(key, "1")
		}
	}
	if o.Table != "" {
		q.Set("table", o.Table)
	}
	return q
}
