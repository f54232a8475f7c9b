package words

import (
	"errors"
	"fmt"
	"strings"

	"uswitch/switch/trace"
)

// Errorf is fmt.Errorf for an error that a person reads: what it says is kept as a sentence and its arguments, and Text says it in
// the language of whoever it comes to. With %w it wraps.
func Errorf(key string, args ...any) error {
	return &sentence{key: key, args: args, english: fmt.Errorf(key, args...)}
}

type sentence struct {
	key     string
	args    []any
	english error
}

// Error says it in English.
func (s *sentence) Error() string { return s.english.Error() }

// Unwrap returns what was wrapped, one or several.
func (s *sentence) Unwrap() []error {
	switch e := s.english.(type) {
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}

// Text says an error in a language, and with it the errors that it wraps, as far as they are sentences; what others have said, the
// kernel for instance, stays in their words.
func Text(in trace.Language, err error) string {
	if s, ok := err.(*sentence); ok {
		args := make([]any, len(s.args))
		for i, arg := range s.args {
			args[i] = arg
			if inner, ok := arg.(error); ok {
				args[i] = Text(in, inner)
			}
		}
		return in(strings.ReplaceAll(s.key, "%w", "%s"), args...)
	}
	if inner := errors.Unwrap(err); inner != nil && inner.Error() == err.Error() {
		return Text(in, inner) // a mark around it that says nothing
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, inner := range all.Unwrap() {
			lines = append(lines, inner.Error())
		}
		if strings.Join(lines, "\n") == err.Error() { // errors.Join
			for i, inner := range all.Unwrap() {
				lines[i] = Text(in, inner)
			}
			return strings.Join(lines, "\n")
		}
	}
	return err.Error()
}
