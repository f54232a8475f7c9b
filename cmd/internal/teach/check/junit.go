package check

import (
	"encoding/xml"
	"io"
)

// suite is a report in JUnit's XML, as build servers read it (the schema of Jenkins' xunit plug-in): one suite for the lab,
// one case for each check. A check that could not be made is an error, one that fails a failure.
type suite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Cases    []testCase `xml:"testcase"`
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
