package lesson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/teach/state"
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

// List writes the lessons with how far the person has come in each.
func List(out io.Writer, all []*Lesson, done Progress, lang Language) error {
	var b strings.Builder
	for _, l := range all {
		state := "      "
		switch r := done[l.Name]; {
		case r.Done:
			state = "done  "
		case r.Steps > 0:
			state = fmt.Sprintf("%-6s", fmt.Sprintf("%d%%", 100*r.Steps/max(r.Of, 1)))
		}
		fmt.Fprintf(&b, "%s %2d  %-14s %s\n", state, l.Order, l.Name, l.Titles[l.Speaks(lang)])
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// Progress is how far a person has come, by the name of the lesson.
type Progress map[string]Reached

// Reached is how far somebody has come in one lesson.
type Reached struct {
	Steps int  `json:"steps"` // that were done, at most
	Of    int  `json:"of"`
	Done  bool `json:"done"` // to the end, once
}

// progressFile is in the state directory.
const progressFile = "learn.json"

// LoadProgress reads the progress that is kept in a directory; none is none.
func LoadProgress(dir string) (Progress, error) {
	p := Progress{}
	text, err := os.ReadFile(filepath.Join(dir, progressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return Progress{}, fmt.Errorf("your progress cannot be read, and is left as it is: %w", err)
	}
	return p, nil
}

// Save keeps the progress. Whoever reads the file meanwhile finds the old one or the new one, whole.
func (p Progress) Save(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return state.Write(dir, progressFile, append(text, '\n'))
}
