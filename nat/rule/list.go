package rule

import (
	"fmt"
	"strconv"
	"strings"
)

// list is -L: a table for people, in iptables' columns.
func (s *Ruleset) list(c *command) (string, error) {
	chains, err := s.chains(c)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, chain := range chains {
		if i > 0 {
			b.WriteByte('\n')
		}
		if c.number == 0 {
			s.listHead(&b, chain, c)
		}
		for i, r := range chain.rules {
			if c.number == 0 || c.number == i+1 {
				r.list(&b, c, i+1)
			}
		}
	}
	return b.String(), nil
}

// listHead writes the two lines above a chain's rules.
func (s *Ruleset) listHead(b *strings.Builder, chain *chain, c *command) {
	verbose, exact := c.given['v'], c.given['x']
	b.WriteString("Chain " + chain.name)
	switch {
	case !chain.builtin():
		fmt.Fprintf(b, " (%d references)\n", s.references(c.table, chain.name))
	case verbose:
		packets, bytes := amount(chain.count.Packets(), exact), amount(chain.count.Bytes(), exact)
		fmt.Fprintf(b, " (policy %s %s packets, %s bytes)\n", chain.policy.Target, packets, bytes)
	default:
		fmt.Fprintf(b, " (policy %s)\n", chain.policy.Target)
	}
	if c.given['0'] {
		fmt.Fprintf(b, "%-4s ", "num")
	}
	switch {
	case verbose && exact:
		fmt.Fprintf(b, "%8s %10s ", "pkts", "bytes")
	case verbose:
		fmt.Fprintf(b, "%5s %5s ", "pkts", "bytes")
	}
	fmt.Fprintf(b, "%-9s  prot opt", "target")
	if verbose {
		fmt.Fprintf(b, " %-6s %-6s ", "in", "out")
	}
	fmt.Fprintf(b, " %-19s  %-19s \n", "source", "destination")
}

// list writes the row of a rule.
func (r *Rule) list(b *strings.Builder, c *command, number int) {
	numeric, verbose, exact := c.given['n'], c.given['v'], c.given['x']
	any, proto := "any", "all"
	if numeric {
		any = "*"
	}
	switch {
	case numeric && c.words == Words189:
		proto = decimal(r.proto.number)
	case r.proto.number != 0:
		proto = protocolName(r.proto.number)
	}
	if c.given['0'] {
		fmt.Fprintf(b, "%-4d ", number)
	}
	if verbose {
		width := 5
		if exact {
			width = 8 // of bytes as well, though their heading has 10: as iptables has it
		}
		fmt.Fprintf(b, "%*s %*s ", width, amount(r.count.Packets(), exact), width, amount(r.count.Bytes(), exact))
	}
	fmt.Fprintf(b, "%-9s %s%-4s %s ", r.Target(), sign(r.proto.invert), proto, r.fragment.list())
	if verbose {
		fmt.Fprintf(b, " %-6s %-6s ", r.in.list(any), r.out.list(any))
	}
	fmt.Fprintf(b, "%s%-19s ", sign(r.src.invert), r.src.list(r.family, numeric))
	fmt.Fprintf(b, "%s%-19s ", sign(r.dst.invert), r.dst.list(r.family, numeric))
	r.listDetails(b, numeric)
	b.WriteByte('\n')
}

// listDetails writes what stands behind the columns: the matches and the target's options.
func (r *Rule) listDetails(b *strings.Builder, numeric bool) {
	if r.isGoto {
		b.WriteString("[goto] ")
	}
	for _, m := range r.matches {
		m.list(b, numeric)
	}
	if r.target != nil {
		r.target.list(b, numeric)
	}
}

// verbose writes the row that -v prints about a rule that was just edited.
func (r *Rule) verbose(b *strings.Builder) {
	proto := "all"
	if r.proto.number != 0 {
		proto = protocolName(r.proto.number)
	}
	fmt.Fprintf(b, "%s %s%s opt %s in %s out %s ", r.Target(), sign(r.proto.invert), proto, r.fragment.list(),
		r.in.list("*"), r.out.list("*"))
	fmt.Fprintf(b, "%s%s ", sign(r.src.invert), r.src.list(r.family, true))
	fmt.Fprintf(b, "%s-> %s  ", sign(r.dst.invert), r.dst.list(r.family, true))
	r.listDetails(b, true)
	b.WriteByte('\n')
}

// sign is the column of the exclamation mark.
func sign(invert bool) string {
	if invert {
		return "!"
	}
	return " "
}

// amount prints a number of packets or bytes: exactly, or in thousands, millions and so on once it has six digits, as
// iptables does.
func amount(n uint64, exact bool) string {
	if exact || n <= 99999 {
		return strconv.FormatUint(n, 10)
	}
	const units = "KMGT"
	unit := -1
	for unit < 0 || n > 9999 && unit < len(units)-1 {
		n = (n + 500) / 1000
		unit++
	}
	return strconv.FormatUint(n, 10) + units[unit:unit+1]
}
