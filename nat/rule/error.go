package rule

import "fmt"

// Status is the exit status that iptables has for a kind of error.
type Status int

// The kinds of errors, with iptables' numbers (include/xtables.h, enum xtables_exittype).
const (
	OtherProblem     Status = 1 // no such chain, no such rule, not empty
	ParameterProblem Status = 2 // the command line is wrong
	VersionProblem   Status = 3 // no such table
	ResourceProblem  Status = 4 // the rule is well-formed and may not stand there
)

// Error is what Exec, Apply and Restore return when a command was refused; nothing was changed then.
type Error struct {
	Status Status
	Tool   string // "iptables", "ip6tables-restore": whose words these are
	Line   int    // in Restore and Apply the line, from 1; else 0
	Text   string // in iptables' words, without the tool's name
}

// Error returns the message in iptables' style, on one line.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s: line %d: %s", e.Tool, e.Line, e.Text)
	}
	return e.Tool + ": " + e.Text
}

// usage is an error in the command line.
func usage(format string, args ...any) error {
	return &Error{Status: ParameterProblem, Text: fmt.Sprintf(format, args...)}
}

// failed is an error of a well-formed command.
func failed(format string, args ...any) error {
	return &Error{Status: OtherProblem, Text: fmt.Sprintf(format, args...)}
}

// refused is the kernel's part of iptables: a rule that may not stand where it was put.
func refused(format string, args ...any) error {
	return &Error{Status: ResourceProblem, Text: fmt.Sprintf(format, args...)}
}

// The answers of iptables that many commands share.
const (
	noChain = "No chain/target/match by that name."
	noRule  = "Bad rule (does a matching rule exist in that chain?)."
)
