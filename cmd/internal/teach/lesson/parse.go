package lesson

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"uswitch/cmd/internal/plan"
)

// parser reads a lesson file line by line.
type parser struct {
	lesson *Lesson
	text   *Step // the text that is being collected, or nil
	lang   Language
	errs   []error
}

// matter is the front matter of a lesson.
type matter struct {
	Order int                 `yaml:"order"`
	Title map[Language]string `yaml:"title"`
}

// numbered is what may stand in front of a lesson's name in the name of its file.
var numbered = regexp.MustCompile(`^\d+-`)

// Parse reads a lesson. file is for messages, and gives the lesson its name. The error joins what is wrong, each with its
// line.
func Parse(file string, data []byte) (*Lesson, error) {
	name := numbered.ReplaceAllString(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), "")
	p := &parser{lesson: &Lesson{Name: name, File: file}}
	if err := plan.ValidateName("lesson", name); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	at := p.matter(lines)
	for at < len(lines) {
		at = p.line(lines, at)
	}
	p.flush()
	p.whole()
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	return p.lesson, nil
}

func (p *parser) wrong(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.lesson.File, line, fmt.Sprintf(format, args...)))
}

// matter reads the front matter, and returns where the lesson begins.
func (p *parser) matter(lines []string) (next int) {
	end := -1
	if len(lines) > 0 && lines[0] == "---" {
		end = slices.Index(lines[1:], "---")
	}
	if end < 0 {
		p.wrong(1, "want front matter first: ---, title: {en: ...}, ---")
		return 0
	}
	var m matter
	d := yaml.NewDecoder(strings.NewReader(strings.Join(lines[1:end+1], "\n")))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil {
		p.wrong(2, "front matter: %v", err)
	}
	for lang := range m.Title {
		if !slices.Contains(Languages, lang) {
			p.wrong(2, "title: %q: want one of %v", string(lang), Languages)
		}
	}
	if len(m.Title) == 0 {
		p.wrong(2, "front matter: title is missing, as in title: {en: The gateway}")
	}
	p.lesson.Order, p.lesson.Titles = m.Order, m.Title
	return end + 2
}

// fence begins and ends a block; mark begins a text in one language.
var (
	fence = regexp.MustCompile("^```+(.*)$")
	mark  = regexp.MustCompile(`^\[([a-z]{2})\]$`)
)

// line reads what begins at a line, and returns where it ends.
func (p *parser) line(lines []string, at int) (next int) {
	if m := mark.FindStringSubmatch(lines[at]); m != nil {
		p.lang = Language(m[1])
		if _, ok := p.lesson.Titles[p.lang]; !ok {
			p.wrong(at+1, "[%s]: the lesson has no title in this language", m[1])
		}
		return at + 1
	}
	m := fence.FindStringSubmatch(lines[at])
	if m == nil {
		p.say(lines[at : at+1]...)
		return at + 1
	}
	closing := strings.TrimSuffix(lines[at], m[1])
	length := slices.Index(lines[at+1:], closing)
	if length < 0 {
		p.wrong(at+1, "this block does not end")
		return len(lines)
	}
	next = at + length + 2
	words := strings.Fields(m[1])
	if len(words) == 0 || readers[words[0]] == nil {
		p.say(lines[at:next]...)
		return next
	}
	p.flush()
	readers[words[0]](p, block{line: at + 1, words: words[1:], lines: lines[at+1 : next-1]})
	return next
}

// say collects text.
func (p *parser) say(lines ...string) {
	if p.text == nil {
		p.text = &Step{Text: map[Language][]string{}}
	}
	p.text.Text[p.lang] = append(p.text.Text[p.lang], lines...)
}

// flush ends the text: what follows is for everybody again. What is said in one language must be said in all of them.
func (p *parser) flush() {
	text := p.text
	p.text, p.lang = nil, ""
	if text == nil {
		return
	}
	line := 0
	said := 0
	for lang, lines := range text.Text {
		text.Text[lang] = trimmed(lines)
		if len(text.Text[lang]) == 0 {
			delete(text.Text, lang)
		} else if lang != "" {
			said++
		}
	}
	if len(text.Text) == 0 {
		return
	}
	if n := len(p.lesson.Steps); n > 0 {
		line = p.lesson.Steps[n-1].Line
	}
	if said > 0 && said < len(p.lesson.Titles) {
		p.wrong(line, "the text below this line is not in every language of the lesson")
	}
	text.Line = line
	p.lesson.Steps = append(p.lesson.Steps, *text)
}

// trimmed takes empty lines off both ends.
func trimmed(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
