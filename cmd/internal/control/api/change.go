package api

import (
	"net/netip"
	"net/url"

	"uswitch/switch/frame"
)

// AddressChange is an address of the gateway's to add or to delete.
type AddressChange struct {
	Address netip.Prefix `json:"address"`
	Dev     string       `json:"dev"`
}

// NeighborChange is a neighbour to enter for good, or neighbours to forget.
type NeighborChange struct {
	Dst     netip.Addr `json:"dst,omitzero"` // when forgetting, none means all that were not entered by hand
	Dev     string     `json:"dev,omitempty"`
	Lladdr  frame.MAC  `json:"lladdr,omitzero"`
	Replace bool       `json:"replace,omitempty"`
	Change  bool       `json:"change,omitempty"`
}

// RouteChange is a route to add or to delete.
type RouteChange struct {
	Dst     netip.Prefix `json:"dst"`
	Via     netip.Addr   `json:"via,omitzero"`
	Dev     string       `json:"dev,omitempty"`
	Replace bool         `json:"replace,omitempty"` // the route to Dst if there is one
	Change  bool         `json:"change,omitempty"`  // only if there is one
}

// PublishRequest opens or closes ports of a host, in Compose's short form: 8080:80, 127.0.0.1:8080:80/udp.
type PublishRequest struct {
	Host string `json:"host"`
	Port string `json:"port"`
}

// IptablesRequest is a command line without the word iptables.
type IptablesRequest struct {
	Args []string `json:"args"`
}

// IptablesAnswer is what the command prints.
type IptablesAnswer struct {
	Output string `json:"output"`
}

// Count says how many things a request has touched.
type Count struct {
	Count int `json:"count"`
}

// SetRequest changes what can be set of a port, a network, a station or the gateway: all of its values, or none.
type SetRequest struct {
	Kind    string            `json:"kind"`              // port, network, fdb or gateway
	Name    string            `json:"name,omitempty"`    // the host of a port, a network; for fdb the station's MAC address
	Network string            `json:"network,omitempty"` // of a port or a station; not needed where there is only one
	Values  map[string]string `json:"values"`
}

// ApplyPath is where a plan is sent to.
const ApplyPath = "/v1/apply"

// Plans is the answer of /v1/plan: what there is now, and what the lab was made from or had applied last, without what
// people have added by hand. P is package plan's Plan, which not everybody who knows this package needs to know.
type Plans[P any] struct {
	Plan  *P `json:"plan"`
	Filed *P `json:"filed"`
}

// ApplyRequest asks for a lab to become what a plan says.
type ApplyRequest[P any] struct {
	Plan   *P   `json:"plan"`
	DryRun bool `json:"dry_run,omitempty"` // only say what would change
}

// ApplyAnswer has a line for each change, in the order in which they were made.
type ApplyAnswer struct {
	Lines []string `json:"lines"`
}

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
