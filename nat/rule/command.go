package rule

import "strings"

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
	words      Words
}

// OnlyLooks reports whether a command line shows rules and changes none: -L, -S and -C without -Z, help, and whatever is
// refused for its form.
func OnlyLooks(f Family, args []string) bool {
	c, err := parse(f, args, Filter, false)
	return err != nil || !c.zero && (c.verb == nil || strings.IndexByte("LSCh", c.verb.letter) >= 0)
}

// Warnings is what iptables writes to its standard error about a command line that it takes, a line each.
func Warnings(f Family, args []string) (all []string) {
	c, err := parse(f, args, Filter, false)
	if err != nil {
		return nil
	}
	for _, m := range c.rule.matches {
		if m, ok := m.(interface{ warnings() []string }); ok {
			all = append(all, m.warnings()...)
		}
	}
	return all
}

// RestoreWarnings is what iptables-restore writes there about a text that it takes.
func RestoreWarnings(f Family, text string) (all []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") { // the counters of iptables-save -c
			_, line, _ = strings.Cut(line, "] ")
		}
		if words, err := splitSaved(line); err == nil && strings.HasPrefix(line, "-") {
			all = append(all, Warnings(f, words)...)
		}
	}
	return all
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

// help is what -h prints.
func help(f Family) string {
	return strings.ReplaceAll(usageText, "iptables", f.tool())
}

const usageText = `Usage: iptables [-t filter|mangle|nat|raw] -A|-C CHAIN RULE     append, or look for, a rule
       iptables -I CHAIN [NUMBER] RULE                  insert a rule, first if no number is given
       iptables -D CHAIN RULE|NUMBER                    delete a rule
       iptables -R CHAIN NUMBER RULE                    replace a rule
       iptables -L|-S [CHAIN [NUMBER]] [-v] [-n] [-x] [--line-numbers]
                                                        list as a table; print as commands
       iptables -F|-Z [CHAIN]                           delete all rules; set counters to zero
       iptables -N|-X CHAIN                             make, delete a chain
       iptables -E OLD NEW                              rename a chain
       iptables -P CHAIN ACCEPT|DROP                    set a built-in chain's policy

RULE:  [!] -s ADDRESS[/MASK][,...]   [!] -d ADDRESS[/MASK][,...]   [!] -i NAME[+]   [!] -o NAME[+]   [!] -f
       [!] -p tcp|udp|icmp|all|NUMBER|NAME   -m MATCH ...   -j TARGET ...   -g CHAIN   -c PACKETS BYTES

MATCH: tcp, udp     [!] --sport PORT[:PORT]  [!] --dport PORT[:PORT]
       tcp          [!] --syn  [!] --tcp-flags MASK SET
       icmp         [!] --icmp-type TYPE[/CODE]
       multiport    [!] --sports|--dports|--ports PORT[:PORT][,...]
       conntrack    [!] --ctstate STATE[,...]  [!] --ctproto PROTOCOL  --ctdir ORIGINAL|REPLY
                    [!] --ctorigsrc|--ctorigdst|--ctreplsrc|--ctrepldst ADDRESS[/MASK], each also with port: PORT[:PORT]
       state        [!] --state STATE[,...]
       addrtype     [!] --src-type TYPE[,...]  [!] --dst-type TYPE[,...]  --limit-iface-in|--limit-iface-out
       mark         [!] --mark VALUE[/MASK]
       limit        --limit RATE[/second|/minute|/hour|/day]  --limit-burst NUMBER
       mac          [!] --mac-source ADDRESS
       iprange      [!] --src-range ADDRESS[-ADDRESS]  [!] --dst-range ADDRESS[-ADDRESS]
       statistic    --mode random [!] --probability P   --mode nth [!] --every N --packet P
       recent       [!] --set|--rcheck|--update|--remove  --name LIST  --seconds N  --hitcount N  --reap  --rttl
                    --rsource|--rdest  --mask MASK
       connlimit    [!] --connlimit-upto|--connlimit-above N  --connlimit-mask BITS  --connlimit-saddr|--connlimit-daddr
       comment      --comment TEXT

TARGET: ACCEPT, DROP, RETURN, a chain of yours
       REJECT       --reject-with TYPE
       LOG          --log-prefix TEXT  --log-level LEVEL  --log-tcp-sequence  --log-tcp-options  --log-ip-options
                    --log-uid  --log-macdecode
       MARK         --set-mark|--set-xmark VALUE[/MASK]  --and-mark|--or-mark|--xor-mark VALUE
       TCPMSS       --set-mss BYTES|--clamp-mss-to-pmtu
       MASQUERADE   --to-ports PORT[-PORT]  --random  --random-fully
       REDIRECT     --to-ports PORT[-PORT]  --random
       SNAT         --to-source [ADDRESS[-ADDRESS]][:PORT[-PORT]]  --random  --random-fully  --persistent
       DNAT         --to-destination [ADDRESS[-ADDRESS]][:PORT[-PORT[/PORT]]]  --random  --persistent
`

// SplitLine cuts a line into words as a shell does: at blanks, except within single or double quotes, and where a backslash
// keeps the next character as it is. Nothing is expanded. A line that begins with # has no words.
func SplitLine(line string) (words []string, err error) {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return nil, nil
	}
	return split(line, true)
}

// splitSaved cuts a line as iptables-restore does: there are double quotes only, a backslash means something within them
// only, and a closing quote ends its word.
func splitSaved(line string) (words []string, err error) { return split(line, false) }

// split is both; shell says which.
func split(line string, shell bool) (words []string, err error) {
	var word strings.Builder
	var quote byte // the quote that is open, or zero
	started, escaped := false, false
	end := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started = false
	}
	for i := range len(line) {
		ch := line[i]
		blank := ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n'
		switch {
		case escaped:
			word.WriteByte(ch)
			escaped = false
		case ch == '\\' && (quote == '"' || shell && quote == 0):
			started, escaped = true, true
		case quote != 0 && ch == quote:
			quote = 0
			if !shell {
				end()
			}
		case quote == 0 && (ch == '"' || shell && ch == '\''):
			started, quote = true, ch
		case quote == 0 && blank:
			end()
		default:
			started = true
			word.WriteByte(ch)
		}
	}
	if quote != 0 || escaped {
		return nil, usage("a quote is not closed")
	}
	end()
	return words, nil
}
