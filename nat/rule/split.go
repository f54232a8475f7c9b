package rule

import "strings"

// SplitLine cuts a line into words as iptables-restore does: at blanks, except within double quotes, where a backslash
// keeps the next character as it is. A closing quote ends its word.
func SplitLine(line string) (words []string, err error) {
	var word strings.Builder
	started, quoted, escaped := false, false, false
	end := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started, quoted = false, false
	}
	for i := range len(line) {
		switch ch := line[i]; {
		case escaped:
			word.WriteByte(ch)
			escaped = false
		case quoted && ch == '\\':
			escaped = true
		case quoted && ch == '"':
			end()
		case quoted:
			word.WriteByte(ch)
		case ch == '"':
			started, quoted = true, true
		case ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n':
			end()
		default:
			started = true
			word.WriteByte(ch)
		}
	}
	if quoted {
		return nil, usage("a quote is not closed")
	}
	end()
	return words, nil
}
