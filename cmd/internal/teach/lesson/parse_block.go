package lesson

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"uswitch/cmd/internal/plan"
)

// block is a fenced block that does something.
type block struct {
	line  int      // of its fence
	words []string // behind its kind
	lines []string
}

// readers read the kinds of blocks.
var readers = map[string]func(*parser, block){
	"lab": (*parser).lab, "run": (*parser).run, "mend": (*parser).mend, "expect": (*parser).expect,
	"fails": (*parser).fails, "holds": (*parser).holds, "question": (*parser).question,
}

// lab reads the lesson's lab. In front of it stand as many empty lines as in the lesson, so that mistakes have its lines.
func (p *parser) lab(b block) {
	if p.lesson.Plan != nil {
		p.wrong(b.line, "a second lab: want one")
		return
	}
	text := strings.Repeat("\n", b.line) + strings.Join(b.lines, "\n") + "\n"
	labPlan, err := plan.Parse(p.lesson.File, []byte(text), plan.LoadOptions{Name: "learn-" + p.lesson.Name})
	if err != nil {
		p.errs = append(p.errs, err)
		return
	}
	p.lesson.Plan = labPlan
}

func (p *parser) add(s Step) {
	if p.lesson.Plan == nil && len(p.errs) == 0 {
		p.wrong(s.Line, "want the lab first: a block ```lab")
	}
	p.lesson.Steps = append(p.lesson.Steps, s)
}

func (p *parser) run(b block) {
	s := Step{Line: b.line, Commands: b.commands()}
	for _, word := range b.words {
		switch end := End(word); {
		case word == "real":
			s.Real = true
		case s.End == Well && (end == Badly || end == Either):
			s.End = end
		default:
			p.wrong(b.line, "run %s: want run, with real, and fails or either behind it if need be", strings.Join(b.words, " "))
		}
	}
	p.some(b, len(s.Commands))
	p.add(s)
}

func (p *parser) mend(b block) {
	if len(b.words) == 0 {
		p.wrong(b.line, "mend: want the names of the checks that it makes hold")
	}
	p.known(b.line, b.words)
	s := Step{Line: b.line, Commands: b.commands(), Mends: b.words, End: Either} // the checks judge
	p.some(b, len(s.Commands))
	p.add(s)
}

// commands are the lines of a block that are not empty.
func (b block) commands() (all []Command) {
	for i, line := range b.lines {
		if text := strings.TrimSpace(line); text != "" {
			all = append(all, Command{text, b.line + 1 + i})
		}
	}
	return all
}

func (p *parser) some(b block, n int) {
	if n == 0 {
		p.wrong(b.line, "this block is empty")
	}
}

// expect belongs to the commands above it.
func (p *parser) expect(b block) {
	n := len(p.lesson.Steps)
	if n == 0 || p.lesson.Steps[n-1].Commands == nil {
		p.wrong(b.line, "expect: want it right behind a block ```run or ```mend")
		return
	}
	names := b.names()
	p.some(b, len(names))
	p.lesson.Steps[n-1].Expect = names
}

func (p *parser) fails(b block) {
	s := Step{Line: b.line, Fails: b.names()}
	p.some(b, len(s.Fails))
	p.known(b.line, s.Fails)
	p.add(s)
}

func (p *parser) holds(b block) {
	s := Step{Line: b.line, Holds: b.names()}
	p.some(b, len(s.Holds))
	p.known(b.line, s.Holds)
	p.add(s)
}

func (b block) names() (all []string) {
	for _, c := range b.commands() {
		all = append(all, c.Text)
	}
	return all
}

// known refuses names that no check of the lab has.
func (p *parser) known(line int, names []string) {
	for _, name := range names {
		if p.lesson.Plan != nil && p.lesson.Check(name) == nil {
			p.wrong(line, "%s: the lab has no check of that name", name)
		}
	}
}

func (p *parser) question(b block) {
	q := &Question{}
	d := yaml.NewDecoder(strings.NewReader(strings.Join(b.lines, "\n")))
	d.KnownFields(true)
	if err := d.Decode(q); err != nil {
		p.wrong(b.line, "question: %v", err)
		return
	}
	if err := q.check(); err != nil {
		p.wrong(b.line, "question: %v", err)
	}
	if n := len(p.lesson.Steps); n == 0 || p.lesson.Steps[n-1].Text == nil {
		p.wrong(b.line, "question: nobody has asked it: want text right above it")
	}
	p.add(Step{Line: b.line, Question: q})
}

// whole refuses a lesson that proves nothing.
func (p *parser) whole() {
	if p.lesson.Plan == nil {
		if len(p.errs) == 0 {
			p.wrong(1, "want a lab: a block ```lab with a Compose file")
		}
		return
	}
	mended := map[string]bool{}
	for _, s := range p.lesson.Steps {
		for _, name := range s.Mends {
			mended[name] = true
		}
	}
	for _, c := range p.lesson.Plan.Checks {
		if !mended[c.Name] {
			p.wrong(1, "check %s: no step mends it, so nobody sees it fail: want a block ```mend %s", c.Name, c.Name)
		}
	}
	if len(p.lesson.Plan.Checks) == 0 {
		p.wrong(1, "want checks: x-uswitch.checks of the lab, and blocks ```mend that make them hold")
	}
}
