package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong with a lab file. The error that Load and Parse return joins them in the order of the
// file's lines; errors.As finds the first.
type Mistake struct {
	File string
	Line int    // from 1; 0 where the mistake has no place of its own
	Key  string // the path of keys, as in services.RED.networks.br0.ipv4_address; empty for the file as a whole
	Text string // what is wrong, and what is allowed

	place int // file and line, for the order
}

// Error returns FILE:LINE: KEY: TEXT, leaving out what is not known.
func (m *Mistake) Error() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d", m.Line)
	}
	b.WriteString(": ")
	if m.Key != "" {
		b.WriteString(m.Key + ": ")
	}
	b.WriteString(m.Text)
	return b.String()
}

// A file with more mistakes than these is not a lab file at all; the rest of them is neither kept nor told.
const (
	maxMistakes = 1000
	maxTold     = 50
)

// report collects what is to be said about a file: mistakes, which refuse it, and warnings, which do not.
type report struct {
	files    []file // the first is what mistakes are told of that have no place
	mistakes []*Mistake
	warnings []warning
}

// file is one of the files that a lab is made of, and what it is called in messages.
type file struct {
	name string
	data []byte
}

// A line of another file than the first has that file's number above placeBits; lines of one file stay below.
const placeBits = 24

func place(file, line int) int { return file<<placeBits | line }

// at returns the file and the line of a place.
func (r *report) at(place int) (file string, line int) {
	return r.files[place>>placeBits].name, place & (1<<placeBits - 1)
}

type warning struct {
	line int
	text string
}

// mistake notes a mistake in a line of the file.
func (r *report) mistake(line int, key path, format string, args ...any) {
	if r.full() {
		return
	}
	file, inFile := r.at(line)
	r.mistakes = append(r.mistakes, &Mistake{File: file, Line: inFile, Key: key.String(), Text: fmt.Sprintf(format, args...), place: line})
}

// full says that no more mistakes are kept.
func (r *report) full() bool { return len(r.mistakes) >= maxMistakes }

// warn notes a warning in a line of the file.
func (r *report) warn(line int, format string, args ...any) {
	if len(r.warnings) == maxMistakes {
		return
	}
	r.warnings = append(r.warnings, warning{line, fmt.Sprintf(format, args...)})
}

// err returns the mistakes so far, in the order of their lines, or nil.
func (r *report) err() error {
	slices.SortStableFunc(r.mistakes, func(a, b *Mistake) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Text, b.Text))
	})
	unique := slices.CompactFunc(slices.Clone(r.mistakes), func(a, b *Mistake) bool { return *a == *b })
	var errs []error
	for _, m := range unique[:min(len(unique), maxTold)] {
		errs = append(errs, m)
	}
	if more := len(unique) - maxTold; more > 0 {
		errs = append(errs, fmt.Errorf("%s: and %d more mistakes, at least", r.files[0].name, more))
	}
	return errors.Join(errs...)
}

// warned returns the warnings in the order of their lines.
func (r *report) warned() []string {
	slices.SortStableFunc(r.warnings, func(a, b warning) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.text, b.text))
	})
	var texts []string
	for _, w := range slices.Compact(r.warnings) {
		texts = append(texts, w.text)
	}
	return texts
}

// oneOf says which names there are to choose from, if there are any.
func oneOf(names []string) string {
	if len(names) == 0 {
		return "there are none"
	}
	return "want one of " + clip(strings.Join(names, ", "), 300)
}

// path is where something stands in the file: the keys from the top, and the index in a list as a decimal number.
type path []string

// to returns the path of something further down. It never shares memory with p.
func (p path) to(keys ...string) path { return slices.Concat(p, keys) }

// String joins the keys with dots. A key that would tear the message apart is quoted.
func (p path) String() string {
	keys := make([]string, len(p))
	for i, key := range p {
		keys[i] = key
		if validateName("", key, 200) != nil && key != "<<" {
			keys[i] = fmt.Sprintf("%q", clip(key, 80))
		}
	}
	return strings.Join(keys, ".")
}
