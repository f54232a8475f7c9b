package rule

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Tables is what an administrator edits and a data path obeys: the current Ruleset, and the commands that replace it. All
// methods may be called from many goroutines; edits wait for each other, Snapshot waits for nobody.
type Tables struct {
	family  Family
	edit    sync.Mutex // held from reading current to replacing it
	current atomic.Pointer[Ruleset]
	lists   uint64 // how many lists of connections rules have had
	trial   bool   // a Draft, whose edits must leave what others use alone
}

// NewTables returns empty tables with all policies ACCEPT.
func NewTables(f Family) *Tables {
	t := &Tables{family: f}
	t.publish(newRuleset(f))
	return t
}

// publish makes a draft the Ruleset that the data path obeys. Every way to one leads through here: a draft that was not
// linked would ask no chain at all, and let everything through.
func (t *Tables) publish(draft *Ruleset) {
	draft.link()
	t.lists = draft.linkCounts(t.lists)
	if t.trial {
		draft.linkRecent()
	} else {
		draft.linkRecent(t.current.Load(), draft)
	}
	t.current.Store(draft)
}

// Snapshot returns the Ruleset of this moment, which the caller may keep as long as it likes.
func (t *Tables) Snapshot() *Ruleset { return t.current.Load() }

// Exec carries out one command line, without the word iptables, and returns what the command prints. The error is an
// *Error; nothing has changed then.
func (t *Tables) Exec(args []string) (output string, err error) { return t.ExecAs(Words189, args) }

// ExecAs is Exec as another version of iptables would print it.
func (t *Tables) ExecAs(w Words, args []string) (output string, err error) {
	c, err := parse(t.family, args, Filter, false)
	if err != nil {
		return "", t.errorOf(err, "", 0)
	}
	c.words = w
	t.edit.Lock()
	defer t.edit.Unlock()
	now := t.current.Load()
	if output, done, err := now.answer(c); done {
		return output, t.errorOf(err, "", 0)
	}
	draft := now.clone()
	edited, err := draft.edit(c)
	if err == nil {
		err = draft.seal(c, nil)
	}
	if err != nil {
		return "", t.errorOf(err, "", 0)
	}
	if c.zero {
		output, _, _ = now.answer(c)
	}
	t.publish(draft)
	return output + edited, nil
}

// Apply carries out command lines as they are typed in a shell (see SplitLine), with or without the word iptables in
// front; blank lines and those that begin with # are skipped. It is all or nothing: after an error, an *Error that names the line, nothing has changed.
func (t *Tables) Apply(lines []string) error {
	t.edit.Lock()
	defer t.edit.Unlock()
	draft, err := t.drafted(lines, false)
	if err != nil {
		draft, err = t.drafted(lines, true) // says at which line
	}
	if err != nil {
		return err
	}
	t.publish(draft)
	return nil
}

// drafted carries out command lines on a copy. Validating costs as much as there are rules. So, unless each line is to be
// validated, lines that follow each other and only add rules are validated together, and so are those that only delete: what is
// wrong after one of them is still wrong after the last.
func (t *Tables) drafted(lines []string, each bool) (*Ruleset, error) {
	draft := t.current.Load().clone()
	var unsealed []*command // of one kind, the last one of each table
	seal := func() error {
		for _, c := range unsealed {
			if err := draft.seal(c, nil); err != nil {
				return err
			}
		}
		unsealed = unsealed[:0]
		return nil
	}
	for i, line := range lines {
		words, err := SplitLine(line)
		if len(words) > 0 && words[0] == t.family.tool() {
			words = words[1:]
		}
		if err != nil || len(words) == 0 {
			if err != nil {
				return nil, t.errorOf(err, "", i+1)
			}
			continue
		}
		c, err := parse(t.family, words, Filter, false)
		if err == nil && len(unsealed) > 0 && (each || c.kind() != unsealed[0].kind() || c.kind() == editsOtherwise) {
			err = seal()
		}
		if err == nil {
			err = draft.apply(c, &unsealed)
		}
		if err == nil && each {
			err = seal()
		}
		if err != nil {
			return nil, t.errorOf(err, "", i+1)
		}
	}
	if err := seal(); err != nil {
		return nil, t.errorOf(err, "", len(lines))
	}
	return draft, nil
}

// editKind says what a command may do to rules.
type editKind uint8

const (
	editsOtherwise editKind = iota
	addsRules
	deletesRules
)

func (c *command) kind() editKind {
	switch c.verb.letter {
	case 'A', 'I':
		return addsRules
	case 'D':
		return deletesRules
	}
	return editsOtherwise
}

// apply carries out one command on a draft, and enters it among those that are to be sealed.
func (s *Ruleset) apply(c *command, unsealed *[]*command) error {
	if _, done, err := s.answer(c); done {
		return err
	}
	if _, err := s.edit(c); err != nil {
		return err
	}
	for i, other := range *unsealed {
		if other.table == c.table {
			(*unsealed)[i] = c
			return nil
		}
	}
	*unsealed = append(*unsealed, c)
	return nil
}

// answer carries out a command that changes nothing, or the printing half of one that does (-L -Z); done says whether
// that is all.
func (s *Ruleset) answer(c *command) (output string, done bool, err error) {
	switch c.verb.letter {
	case 'C':
		output, err = s.check(c)
	case 'L':
		output, err = s.list(c)
	case 'S':
		output, err = s.print(c)
	case 'h':
		output = help(s.family)
	case 'V':
		output = s.family.tool() + " v" + c.words.String() + " (uswitch)\n"
	default:
		return "", false, nil
	}
	return output, !c.zero || err != nil, err
}

// seal validates a table after an edit and links the jumps. c is the command that made the edit; lines says on which line
// of a file a rule stood.
func (s *Ruleset) seal(c *command, lines map[*Rule]int) error {
	bad := s.validate(c.table)
	if bad == nil {
		s.link()
		return nil
	}
	chain := c.chain
	if chain == "" {
		chain = bad.rule.chain
	}
	err := &Error{Status: ResourceProblem, Line: lines[bad.rule]}
	err.Text = c.verb.operation() + " failed (" + bad.errno + "): rule in chain " + chain + ": " + bad.detail
	return err
}

// errorOf completes an error with the tool's name and a line.
func (t *Tables) errorOf(err error, suffix string, line int) error {
	if err == nil {
		return nil
	}
	e := &Error{}
	if !errors.As(err, &e) {
		e = &Error{Status: OtherProblem, Text: err.Error()}
	}
	e.Tool = t.family.tool() + suffix
	if e.Line == 0 {
		e.Line = line
	}
	return e
}
