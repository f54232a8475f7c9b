package lesson

import (
	"uswitch/cmd/internal/plan"
)

// Lesson is a lesson that has been read and found to be whole.
type Lesson struct {
	Name   string // gateway, from the file's name
	File   string // for messages
	Order  int    // among the built-in ones, from 1; 0: it is none
	Titles map[Language]string
	Plan   *plan.Plan
	Steps  []Step
}

// Languages returns those that the lesson speaks, sorted.
func (l *Lesson) Languages() (all []Language) {
	for _, lang := range Languages {
		if _, ok := l.Titles[lang]; ok {
			all = append(all, lang)
		}
	}
	return all
}

// Speaks returns the language in which the lesson is told to somebody who wants lang: that one, or else its first.
func (l *Lesson) Speaks(lang Language) Language {
	if _, ok := l.Titles[lang]; ok {
		return lang
	}
	return l.Languages()[0]
}

// Check returns the check of that name, or nil. The pointer is into the plan.
func (l *Lesson) Check(name string) *plan.Check {
	for i := range l.Plan.Checks {
		if l.Plan.Checks[i].Name == name {
			return &l.Plan.Checks[i]
		}
	}
	return nil
}

// Step is one thing that happens in a lesson. Exactly one kind of it is set.
type Step struct {
	Line     int                   // of the file
	Text     map[Language][]string // lines of Markdown; those under "" are for everybody
	Commands []Command
	End      End      // of the commands
	Real     bool     // they need this machine itself: in memory they are left out
	Mends    []string // names of checks that the commands make hold
	Expect   []string // what the commands write, in part
	Fails    []string // names of checks
	Holds    []string
	Question *Question
}

// Command is a line that the learner types.
type Command struct {
	Text string
	Line int // of the file
}

// End says how a command must end.
type End string

// The ends. A command that says nothing must end well.
const (
	Well   End = ""
	Badly  End = "fails"  // with a status that is not 0
	Either End = "either" // as it likes
)
