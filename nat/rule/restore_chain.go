package rule

import "strings"

// declare is a line :CHAIN POLICY [packets:bytes].
func (r *restorer) declare(line string) error {
	words := strings.Fields(line)
	if len(words) < 2 {
		return usage("policy invalid: want :CHAIN POLICY [packets:bytes]")
	}
	name, policy := words[0], words[1]
	var counters *Counter
	if r.options.Counters && policy != "-" {
		ok := false
		if len(words) > 2 {
			counters, ok = parseCounters(words[2])
		}
		if !ok {
			return usage("invalid policy counters for chain '%s'", name)
		}
	}
	c := &command{table: r.table, chain: name, second: policy, counters: counters}
	chain := r.draft.find(r.table, name)
	switch {
	case chain != nil && chain.builtin() && policy == "-":
		return nil
	case chain != nil && chain.builtin():
		if r.table == NAT && policy == "DROP" {
			return usage("The \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.")
		}
		return r.draft.police(c)
	case policy != "-":
		return failed("Can't set policy `%s' on `%s': only built-in chains have one", policy, name)
	case chain != nil:
		chain.rules = nil
		return nil
	}
	p := parser{family: r.draft.family, command: command{chain: name, verb: verbOf('N')}}
	if err := p.checkNames(); err != nil {
		return err
	}
	return r.draft.create(r.table, name)
}

// parseCounters reads [packets:bytes].
func parseCounters(box string) (*Counter, bool) {
	inner, ok := strings.CutPrefix(box, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	packets, bytes, colon := strings.Cut(inner, ":")
	n, isNumber := parseNumber(packets, 1<<64-1)
	m, isToo := parseNumber(bytes, 1<<64-1)
	return counterOf(n, m), ok && closed && colon && isNumber && isToo
}
