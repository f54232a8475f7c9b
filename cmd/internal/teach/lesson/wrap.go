package lesson

import (
	"strings"

	"golang.org/x/text/width"
)

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
