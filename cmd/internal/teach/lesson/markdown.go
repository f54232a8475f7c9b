package lesson

import (
	"regexp"
	"strings"

	"golang.org/x/text/width"
)

// tell writes the text of a step: what is for everybody, and what is in the lesson's language.
func (p *player) tell(s *Step) {
	for _, lang := range []Language{"", p.Language} {
		if lines := s.Text[lang]; len(lines) > 0 {
			p.markdown(lines)
		}
	}
}

// markdown writes as much of Markdown as lessons need: headings, lists, paragraphs, blocks that are shown as they are,
// tables (which are), and in a line **strong** and `code`.
func (p *player) markdown(lines []string) {
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			p.wrap(hanging(paragraph[0]), strings.Join(paragraph, " "))
			p.say("")
		}
		paragraph = nil
	}
	literal := false
	for _, line := range lines {
		switch {
		case fence.MatchString(line):
			flush()
			literal = !literal
			if !literal {
				p.say("")
			}
		case literal:
			p.say("    %s", line)
		case strings.TrimSpace(line) == "":
			flush()
		case strings.HasPrefix(line, "#"):
			flush()
			p.heading(strings.TrimLeft(line, "# "))
		case bullet.MatchString(line):
			if len(paragraph) > 0 {
				p.wrap(hanging(paragraph[0]), strings.Join(paragraph, " "))
			}
			paragraph = []string{line}
		default:
			paragraph = append(paragraph, strings.TrimSpace(line))
		}
	}
	flush()
}

// bullet is what begins an item of a list.
var bullet = regexp.MustCompile(`^ *(-|\d+\.) `)

// hanging returns the blanks in front of the second line of an item of a list.
func hanging(first string) string {
	return strings.Repeat(" ", len(bullet.FindString(first)))
}

func (p *player) heading(text string) {
	p.say("%s\n", p.bold(text))
}

var (
	strong = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	code   = regexp.MustCompile("`([^`]+)`")
)

// inline sets what stands out in a line. Without colours, code keeps its quotes.
func (p *player) inline(text string) string {
	if !p.Colour {
		return strong.ReplaceAllString(text, "$1")
	}
	text = strong.ReplaceAllString(text, "\x1b[1m$1\x1b[0m")
	return code.ReplaceAllString(text, "\x1b[36m$1\x1b[0m")
}

func (p *player) bold(text string) string  { return p.set("1", text) }
func (p *player) dim(text string) string   { return p.set("2", text) }
func (p *player) red(text string) string   { return p.set("31", text) }
func (p *player) green(text string) string { return p.set("32", text) }

func (p *player) set(attribute, text string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + attribute + "m" + text + "\x1b[0m"
}

// wrap writes a paragraph in lines as wide as the terminal. Lines but the first, and the first too unless it begins an item
// of a list, begin with indent.
func (p *player) wrap(indent, text string) {
	first := indent
	if bullet.MatchString(text) {
		first = ""
	}
	for i, line := range wrapped(text, max(p.Width-len(indent), 20)) {
		if i > 0 {
			first = indent
		}
		p.say("%s%s", first, p.inline(line))
	}
}

// wrapped breaks a text at blanks into lines of at most so many columns, or more where a word is longer. What stands between
// backquotes is a word: it is to be typed as it is.
func wrapped(text string, room int) (lines []string) {
	for _, word := range words(text) {
		n := len(lines)
		if n == 0 || columns(lines[n-1])+1+columns(word) > room {
			lines = append(lines, word)
			continue
		}
		lines[n-1] += " " + word
	}
	return lines
}

// words splits a text at blanks that are neither in code nor in something **strong**: what begins on a line must end there.
func words(text string) (all []string) {
	inCode, inStrong := false, false
	for _, word := range strings.Fields(text) {
		if inCode || inStrong {
			all[len(all)-1] += " " + word
		} else {
			all = append(all, word)
		}
		inCode = inCode != (strings.Count(word, "`")%2 == 1)
		inStrong = inStrong != (strings.Count(word, "**")%2 == 1)
	}
	return all
}

// columns is how wide a text is on a terminal, where East Asian characters take two columns (UAX #11).
func columns(text string) (n int) {
	for _, r := range text {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
