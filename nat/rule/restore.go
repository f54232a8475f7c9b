package rule

import (
	"bufio"
	"io"
	"strings"
)

// RestoreOptions are the options of iptables-restore.
type RestoreOptions struct {
	Table    Table // only this one of the input's; zero is all of them
	NoFlush  bool  // -n: what is there stays, and the input is added
	Counters bool  // -c: the input's counters are taken over
	Test     bool  // -t: everything is checked and nothing changed
}

// Restore reads what Save writes, or anybody wrote by hand in the same form, and replaces the tables that it names. It is
// all or nothing, for the whole input: after an error, an *Error that names the line, nothing has changed.
func (t *Tables) Restore(input io.Reader, o RestoreOptions) error {
	t.edit.Lock()
	defer t.edit.Unlock()
	r := restorer{options: o, draft: t.current.Load().clone(), lines: map[*Rule]int{}}
	scan := bufio.NewScanner(input)
	scan.Buffer(nil, maxLine)
	for scan.Scan() {
		r.line++
		if err := r.read(scan.Text()); err != nil {
			return t.errorOf(err, "-restore", r.line)
		}
	}
	err := scan.Err()
	if err == nil && r.table != 0 {
		err = failed("COMMIT expected")
	}
	if err != nil {
		return t.errorOf(err, "-restore", r.line+1)
	}
	if !o.Test {
		t.publish(r.draft)
	}
	return nil
}

// maxLine is the longest line that Restore reads, in bytes: iptables-restore's buffer.
const maxLine = 10240

// restorer is the state of one Restore.
type restorer struct {
	options RestoreOptions
	draft   *Ruleset
	line    int
	lines   map[*Rule]int // where rules stood, for errors that show only when the table is complete
	table   Table         // between *table and COMMIT
	skip    bool          // the table is not the one that was asked for
}

// read handles one line.
func (r *restorer) read(line string) error {
	line = strings.TrimRight(line, " \t\r")
	switch {
	case line == "" || line[0] == '#':
		return nil
	case r.table == 0 && line[0] == '*':
		return r.begin(line[1:])
	case r.table == 0:
		return failed("expected *table, not `%s'", line)
	case line == "COMMIT":
		return r.commit()
	case r.skip:
		return nil
	case line[0] == ':':
		return r.declare(line[1:])
	}
	return r.command(line)
}

// begin is a line *table.
func (r *restorer) begin(name string) (err error) {
	if r.table, err = tableNamed(name); err != nil {
		return err
	}
	r.skip = r.options.Table != 0 && r.options.Table != r.table
	if !r.skip && !r.options.NoFlush {
		r.draft.reset(r.table)
	}
	return nil
}

// commit is the line COMMIT: the table is complete.
func (r *restorer) commit() error {
	c := &command{verb: verbOf('A'), table: r.table}
	r.table = 0
	return r.draft.seal(c, r.lines)
}

// command is a line with a command, perhaps behind [packets:bytes].
func (r *restorer) command(line string) error {
	var counters *Counter
	if line[0] == '[' {
		box, rest, closed := strings.Cut(line, "]")
		if !closed {
			return usage("need ]")
		}
		var ok bool
		if counters, ok = parseCounters(box + "]"); !ok {
			return usage("invalid counters `%s]'", box)
		}
		line = rest
	}
	words, err := splitSaved(line)
	if err != nil {
		return err
	}
	c, err := parse(r.draft.family, words, r.table, true)
	if err != nil || c.foreign {
		return err
	}
	if r.options.Counters && counters != nil {
		c.counters = counters
	}
	if _, done, err := r.draft.answer(c); done || err != nil {
		return err
	}
	if _, err := r.draft.edit(c); err != nil {
		return err
	}
	for _, rule := range c.made {
		r.lines[rule] = r.line
	}
	return nil
}

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
