package rule

import "strings"

// SplitLine cuts a line into words as a shell does: at blanks, except within single or double quotes, and where a backslash
// keeps the next character as it is. Nothing is expanded. A line that begins with # has no words.
func SplitLine(line string) (words []string, err error) {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return nil, nil
	}
	return split(line, true)
}

// splitSaved cuts a line as iptables-restore does: there are double quotes only, a backslash means something within them
// only, and a closing quote ends its word.
func splitSaved(line string) (words []string, err error) { return split(line, false) }

// split is both; shell says which.
func split(line string, shell bool) (words []string, err error) {
	var word strings.Builder
	var quote byte // the quote that is open, or zero
	started, escaped := false, false
	end := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started = false
	}
	for i := range len(line) {
		ch := line[i]
		blank := ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n'
		switch {
		case escaped:
			word.WriteByte(ch)
			escaped = false
		case ch == '\\' && (quote == '"' || shell && quote == 0):
			started, escaped = true, true
		case quote != 0 && ch == quote:
			quote = 0
			if !shell {
				end()
			}
		case quote == 0 && (ch == '"' || shell && ch == '\''):
			started, quote = true, ch
		case quote == 0 && blank:
			end()
		default:
			started = true
			word.WriteByte(ch)
		}
	}
	if quote != 0 || escaped {
		return nil, usage("a quote is not closed")
	}
	end()
	return words, nil
}
