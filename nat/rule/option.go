package rule

import (
	"strconv"
	"strings"
)

// option is one long option of a match or a target.
type option struct {
	name   string // without the dashes
	also   string // a second spelling, or empty
	args   int    // how many arguments follow it
	not    bool   // whether ! may stand before it
	must   bool   // whether the extension makes no sense without it
	group  string // of the options of one group only one may be given
	needs  string // the option that must be given with it
	bars   string // options, with blanks between them, that must not be
	refuse string // why it is not supported; empty if it is
	twice  string // the error when it, or its group, comes twice; empty for the usual words
}

// given is one option as it stood on the command line.
type given struct {
	option string   // the option's name, never its second spelling
	args   []string // as many as the option takes
	invert bool
}

// extension is what -m and -j load: it declares its options, takes those that were given, and checks the whole.
type extension interface {
	name() string
	options() []option
	set(g given) error
	finish(s *spec) error // s holds all that the rule says; called once, after the last option
}

// loaded is an extension while its rule is being read.
type loaded struct {
	extension
	seen []option
}

// take hands an option to the extension after the checks that are the same for all (xtables_option_parse).
func (l *loaded) take(o option, g given) error {
	if o.refuse != "" {
		return usage("%s: option \"--%s\" is not supported: %s", l.name(), o.name, o.refuse)
	}
	for _, before := range l.seen {
		same := before.name == o.name
		if !same && (o.group == "" || before.group != o.group) {
			continue
		}
		switch {
		case o.twice != "":
			return usage("%s", o.twice)
		case same:
			return usage("%s: option \"--%s\" can only be used once.", l.name(), o.name)
		}
		first, second := l.declared(before, o)
		return usage("%s: option \"--%s\" cannot be used together with \"--%s\".", l.name(), first, second)
	}
	if g.invert && !o.not {
		return usage("%s: option \"--%s\" cannot be inverted.", l.name(), o.name)
	}
	l.seen = append(l.seen, o)
	return l.set(g)
}

// declared returns the names of two options in the order in which the extension declares them.
func (l *loaded) declared(a, b option) (first, second string) {
	for _, o := range l.options() {
		switch o.name {
		case a.name:
			return a.name, b.name
		case b.name:
			return b.name, a.name
		}
	}
	return a.name, b.name
}

// done checks that nothing is missing.
func (l *loaded) done(s *spec) error {
	if err := l.finish(s); err != nil {
		return err
	}
	for _, o := range l.options() {
		switch given := l.has(o.name); {
		case o.must && !given:
			return usage("%s: option \"--%s\" must be specified", l.name(), o.name)
		case given && l.barred(o) != "":
			return usage("%s: option \"--%s\" cannot be used together with \"--%s\".", l.name(), o.name, l.barred(o))
		case given && o.needs != "" && !l.has(o.needs):
			return usage("%s: option \"--%s\" also requires \"--%s\".", l.name(), o.name, o.needs)
		}
	}
	return nil
}

// barred returns the first option that was given and that o excludes, or nothing.
func (l *loaded) barred(o option) string {
	for name := range strings.FieldsSeq(o.bars) {
		if l.has(name) {
			return name
		}
	}
	return ""
}

// has reports whether an option was given.
func (l *loaded) has(name string) bool {
	for _, o := range l.seen {
		if o.name == name {
			return true
		}
	}
	return false
}

// find looks an option up by its spelling: exact, or, if exact is false, as the beginning of one.
func find(options []option, spelling string, exact bool) (found []option) {
	for _, o := range options {
		switch {
		case exact && (o.name == spelling || o.also == spelling):
			return []option{o}
		case !exact && (strings.HasPrefix(o.name, spelling) || o.also != "" && strings.HasPrefix(o.also, spelling)):
			found = append(found, o)
		}
	}
	return found
}

// badValue is the usual complaint about a number.
func badValue(extension, option string) error {
	return usage("%s: bad integer value for option \"--%s\", or out of range.", extension, option)
}

// parseNumber reads an unsigned number as iptables does (xtables_strtoui with base 0): decimal, 0x hexadecimal, or octal
// with a leading 0. ok is false if it is no number or larger than limit.
func parseNumber(s string, limit uint64) (n uint64, ok bool) {
	base := 10
	switch {
	case len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'):
		base, s = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil && n <= limit
}

// leadingNumber reads the number that s begins with, as parseNumber does, blanks and a plus sign before it included, and
// returns what follows. ok is false if s begins with none, or with one larger than limit.
func leadingNumber(s string, limit uint64) (n uint64, rest string, ok bool) {
	s = strings.TrimPrefix(strings.TrimLeft(s, " \t\n\v\f\r"), "+")
	digits := "0123456789"
	end := 0
	switch {
	case len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && strings.IndexByte(hexDigits, s[2]) >= 0:
		digits, end = hexDigits, 2
	case len(s) > 1 && s[0] == '0':
		digits = "01234567"
	}
	for end < len(s) && strings.IndexByte(digits, s[end]) >= 0 {
		end++
	}
	n, ok = parseNumber(s[:end], limit)
	return n, s[end:], ok
}

const hexDigits = "0123456789abcdefABCDEF"

// hex prints a mark as iptables does.
func hex(v uint32) string { return "0x" + strconv.FormatUint(uint64(v), 16) }

// decimal prints any small number.
func decimal[T ~uint8 | ~uint16 | ~uint32 | ~int](v T) string { return strconv.FormatInt(int64(v), 10) }
