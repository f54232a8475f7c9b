package check

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// State is what has become of a check.
type State string

// The states.
const (
	Holds   State = "holds"
	Fails   State = "fails"
	Unknown State = "unknown" // it could not be found out
)

// Outcome is a check and what has become of it.
type Outcome struct {
	Name    string      `json:"name"`
	State   State       `json:"state"`
	What    string      `json:"what"`             // the check in words
	Why     string      `json:"why,omitempty"`    // what is not as it should be, or why that is unknown
	Where   string      `json:"where,omitempty"`  // what is in the packet's way: gateway forward
	Reason  string      `json:"reason,omitempty"` // its name
	Rule    *api.Rule   `json:"rule,omitempty"`   // that is in the way, or the policy
	Remedy  []string    `json:"remedy,omitempty"` // what would fix it, in this order
	Output  string      `json:"output,omitempty"` // of a command that did not do what it should
	Sent    *api.Sent   `json:"sent,omitempty"`   // the real packet that has decided
	Checked *plan.Check `json:"-"`

	answer *api.Answer // of a question
}

// Report is all outcomes, in the order of the file.
type Report struct {
	Lab      string    `json:"lab"`
	NoSend   bool      `json:"no_send,omitempty"` // no packet was sent for a question: the predictions have decided
	Outcomes []Outcome `json:"checks"`
}

// Status is the exit status of a report: 0 if everything holds, 1 if something does not, 2 if as far as could be found out
// everything does, and not everything could.
func (r *Report) Status() int {
	switch {
	case r.Count(Fails) > 0:
		return 1
	case r.Count(Unknown) > 0:
		return 2
	}
	return 0
}

// Count returns how many outcomes have a state.
func (r *Report) Count(s State) (n int) {
	for _, o := range r.Outcomes {
		if o.State == s {
			n++
		}
	}
	return n
}

// marks stand in front of an outcome, so that a column of them is seen at a glance.
var marks = map[State]string{Holds: "ok", Fails: trace.Key("FAILS"), Unknown: "?"}

// WriteText writes a report for a person: a line for each check, below it what is wrong and what would fix it, and at the
// end how many there are of each.
func (r *Report) WriteText(out io.Writer) error {
	var b strings.Builder
	wide := 0
	for _, o := range r.Outcomes {
		wide = max(wide, utf8.RuneCountInString(o.Name))
	}
	for i := range r.Outcomes {
		r.Outcomes[i].write(&b, wide)
	}
	fmt.Fprintln(&b, words.In("%s: %d hold, %d fail, %d could not be checked", r.Lab, r.Count(Holds), r.Count(Fails), r.Count(Unknown)))
	if r.NoSend {
		fmt.Fprintln(&b, words.In(noSend))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// noSend is what a report says that nothing but predictions has decided.
var noSend = trace.Key("no packet was sent for a question: what is predicted of it has decided")

func (o *Outcome) write(b *strings.Builder, wide int) {
	fmt.Fprintf(b, "%s %-*s  %s\n", trace.Pad(words.In(marks[o.State]), 6), wide, o.Name, trace.Printable(o.What))
	switch {
	case o.State == Holds && o.Sent != nil && o.Sent.Differs:
		detail(b, "", words.In("the prediction, %s, was wrong", o.Sent.Tried))
	case o.Why == "": // somebody is to find out
	case o.State == Fails:
		detail(b, "", o.Why)
	case o.State == Unknown:
		detail(b, words.In("could not check: "), o.Why)
	}
	if o.Rule != nil {
		detail(b, words.In("rule  "), o.Rule.Text)
	}
	for _, line := range o.Remedy {
		detail(b, words.In("try   "), line)
	}
	for line := range strings.Lines(o.Output) {
		detail(b, "| ", strings.TrimSuffix(line, "\n"))
	}
}

func detail(b *strings.Builder, label, text string) {
	fmt.Fprintf(b, "       %s%s\n", label, trace.Printable(text))
}

// suite is a report in JUnit's XML, as build servers read it (the schema of Jenkins' xunit plug-in): one suite for the lab,
// one case for each check. A check that could not be made is an error, one that fails a failure.
type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Cases    []testCase `xml:"testcase"`
	Out      string     `xml:"system-out,omitempty"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *problem `xml:"failure"`
	Error   *problem `xml:"error"`
}

type problem struct {
	Type    string `xml:"type,attr,omitempty"` // the reason's name
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// WriteJUnit writes a report as JUnit's XML.
func (r *Report) WriteJUnit(out io.Writer) error {
	s := suite{Name: r.Lab, Tests: len(r.Outcomes), Failures: r.Count(Fails), Errors: r.Count(Unknown)}
	if r.NoSend {
		s.Out = noSend
	}
	for i := range r.Outcomes {
		s.Cases = append(s.Cases, r.Outcomes[i].testCase(r.Lab))
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

func (o *Outcome) testCase(lab string) testCase {
	c := testCase{Class: lab, Name: o.Name}
	p := &problem{Type: o.Reason, Message: o.Why}
	p.Text = o.What + "\n"
	if o.Rule != nil {
		p.Text += "rule: " + o.Rule.Text + "\n"
	}
	for _, line := range o.Remedy {
		p.Text += "try: " + line + "\n"
	}
	p.Text += o.Output
	switch o.State {
	case Fails:
		c.Failure = p
	case Unknown:
		c.Error = p
	}
	return c
}
