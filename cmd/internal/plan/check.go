package plan

// Check is something that must hold in a lab that is up. Exactly one of Ask, Table and Command is set.
type Check struct {
	Name    string        `json:"name"`
	Ask     *AskCheck     `json:"ask,omitempty"`
	Table   *TableCheck   `json:"table,omitempty"`
	Command *CommandCheck `json:"command,omitempty"`
}

// AskCheck is about one packet, which is not sent: whether it is answered, and how it gets there.
type AskCheck struct {
	From     string `json:"from"`           // a host, or outside
	To       string `json:"to"`             // an address, a host, gateway, or a name with a dot in it
	Protocol string `json:"protocol"`       // icmp, tcp or udp
	Port     uint16 `json:"port,omitempty"` // with tcp and udp
	Size     int    `json:"size,omitempty"` // bytes of data in a ping; 0: 56
	DF       bool   `json:"df,omitempty"`   // the ping may not be cut on the way

	Not    bool   `json:"not,omitempty"`    // it must not be answered
	Reason string `json:"reason,omitempty"` // with Not: the name of the reason, as in policy-drop
	Rule   string `json:"rule,omitempty"`   // in the text of some rule that matches on the way
	Path   []Hop  `json:"path,omitempty"`   // in this order; others may come between
}

// Hop is a step of a packet's way, as far as a check says anything about it.
type Hop struct {
	Way     string `json:"way,omitempty"`     // question or answer
	At      string `json:"at,omitempty"`      // a host, a network, gateway, uplink
	Hook    string `json:"hook,omitempty"`    // forward, postrouting, arp, deliver ...
	Result  string `json:"result,omitempty"`  // allow, drop, wait or answer
	Rule    string `json:"rule,omitempty"`    // in the text of the rule that matched
	Becomes string `json:"becomes,omitempty"` // in what a translation makes of the packet's addresses
	Reason  string `json:"reason,omitempty"`  // of a drop
}

// TableCheck is about the rows of a table, as the tool that people know prints them.
type TableCheck struct {
	Name string `json:"name"` // one of Tables
	Match
}

// CommandCheck is about a program that runs inside a host, or beside the lab.
type CommandCheck struct {
	Host   string   `json:"host,omitempty"` // empty: on this machine
	Argv   []string `json:"argv"`
	Status int      `json:"status"` // that it must end with; -1: any but 0
	Match
}

// Match is what must be found in some line of a text, and what must not. Blanks are alike, however many.
type Match struct {
	Has   []string `json:"has,omitempty"`
	Lacks []string `json:"lacks,omitempty"`
}

// Tables are those that a check can look into.
var Tables = []string{"conntrack", "drops", "fdb", "hosts", "neigh", "networks", "ports", "published", "routes", "rules"}
