package rule

import "uswitch/switch/trace"

// Table is one of iptables' tables. The zero value is invalid.
type Table uint8

// The tables, in the order in which iptables-save prints them.
const (
	Mangle Table = iota + 1
	Raw
	Filter
	NAT

	tableEnd
)

// tableNames are the names as -t takes them.
var tableNames = [tableEnd]string{Mangle: "mangle", Raw: "raw", Filter: "filter", NAT: "nat"}

// tableHooks are the hooks that a table is called from, in the order of its built-in chains.
var tableHooks = [tableEnd][]trace.Hook{
	Mangle: {trace.Prerouting, trace.Input, trace.Forward, trace.Output, trace.Postrouting},
	Raw:    {trace.Prerouting, trace.Output},
	Filter: {trace.Input, trace.Forward, trace.Output},
	NAT:    {trace.Prerouting, trace.Input, trace.Output, trace.Postrouting},
}

// allTables returns every table in order.
func allTables() []Table { return []Table{Mangle, Raw, Filter, NAT} }

// String returns the name as -t takes it.
func (t Table) String() string {
	if t > 0 && t < tableEnd {
		return tableNames[t]
	}
	return "invalid table"
}

// ParseTable finds a table by its name.
func ParseTable(name string) (Table, bool) {
	for t := Mangle; t < tableEnd; t++ {
		if tableNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// tableNamed is ParseTable with iptables' words for what does not exist.
func tableNamed(name string) (Table, error) {
	if t, ok := ParseTable(name); ok {
		return t, nil
	}
	e := &Error{Status: VersionProblem, Text: "table '" + name + "' does not exist: there are filter, mangle, nat and raw"}
	if name == "security" {
		e.Text = "table '" + name + "' is not supported: there are filter, mangle, nat and raw"
	}
	return 0, e
}

// builtinName is the name of the built-in chain at a hook.
func builtinName(h trace.Hook) string {
	switch h {
	case trace.Prerouting:
		return "PREROUTING"
	case trace.Input:
		return "INPUT"
	case trace.Forward:
		return "FORWARD"
	case trace.Output:
		return "OUTPUT"
	case trace.Postrouting:
		return "POSTROUTING"
	}
	return ""
}
