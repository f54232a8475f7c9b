package rule

// command is a whole command line, read and not yet carried out.
type command struct {
	verb   *verb
	zero   bool // -Z beside -L or -S
	table  Table
	chain  string // empty: all chains
	number int    // of a rule, from 1; 0 where none was given
	second string // the new name of -E, the policy of -P

	rule       spec
	srcs, dsts []network // more than one where there were commas; at least one in a command about a rule
	counters   *Counter  // -c, or nil
	given      map[byte]bool
	made       []*Rule
	foreign    bool // -4 or -6 of the other family: Restore skips the line
}

// verb is one of the commands, of which a line has exactly one.
type verb struct {
	letter  byte
	long    string
	chain   bool   // the chain's name must follow; else it may
	number  bool   // a rule's number may follow the chain's name
	second  string // a second word must follow the name, and the complaint if it does not
	options string // letters of the options that may stand beside it
}

// The options that describe a rule, by letter; m is any -m.
const ruleOptions = "sdpjiofmv"

var verbs = []verb{
	{letter: 'A', long: "append", chain: true, options: ruleOptions + "c"},
	{letter: 'C', long: "check", chain: true, options: ruleOptions},
	{letter: 'D', long: "delete", chain: true, number: true, options: ruleOptions},
	{letter: 'I', long: "insert", chain: true, number: true, options: ruleOptions + "c"},
	{letter: 'R', long: "replace", chain: true, number: true, options: ruleOptions + "c"},
	{letter: 'L', long: "list", number: true, options: "nvx0"},
	{letter: 'S', long: "list-rules", number: true, options: "v"},
	{letter: 'F', long: "flush", options: "v"},
	{letter: 'Z', long: "zero", number: true, options: "v"},
	{letter: 'N', long: "new-chain", chain: true, options: "v"},
	{letter: 'X', long: "delete-chain", options: "v"},
	{letter: 'P', long: "policy", chain: true, second: "-P requires a chain and a policy", options: "vc"},
	{letter: 'E', long: "rename-chain", chain: true, second: "-E requires old-chain-name and new-chain-name", options: "v"},
	{letter: 'h', long: "help"},
	{letter: 'V', long: "version"},
}

// aboutRule reports whether the command says what a rule is to be, or was.
func (c *command) aboutRule() bool {
	switch c.verb.letter {
	case 'A', 'C', 'I', 'R':
		return true
	case 'D':
		return c.number == 0
	}
	return false
}

// global is an option that belongs to no extension.
type global struct {
	letter byte
	long   string
	also   string
	args   int
	not    bool
}

// globals are iptables' own options. line-numbers has no letter; 0 stands for it, as in iptables.
var globals = []global{
	{letter: 's', long: "source", also: "src", args: 1, not: true},
	{letter: 'd', long: "destination", also: "dst", args: 1, not: true},
	{letter: 'p', long: "protocol", args: 1, not: true},
	{letter: 'i', long: "in-interface", args: 1, not: true},
	{letter: 'o', long: "out-interface", args: 1, not: true},
	{letter: 'f', long: "fragments", not: true},
	{letter: 'j', long: "jump", args: 1},
	{letter: 'g', long: "goto", args: 1},
	{letter: 'm', long: "match", args: 1},
	{letter: 't', long: "table", args: 1},
	{letter: 'c', long: "set-counters", args: 1},
	{letter: 'n', long: "numeric"},
	{letter: 'v', long: "verbose"},
	{letter: 'x', long: "exact"},
	{letter: '0', long: "line-numbers"},
	{letter: 'w', long: "wait"},
	{letter: 'W', long: "wait-interval", args: 1},
	{letter: '4', long: "ipv4"},
	{letter: '6', long: "ipv6"},
}
