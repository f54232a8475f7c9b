package rule

import "strings"

// writeNot writes the sign of a negated option.
func writeNot(b *strings.Builder, invert bool) {
	if invert {
		b.WriteString(" !")
	}
}

// bang returns the exclamation mark that listings put before a negated value.
func bang(invert bool) string {
	if invert {
		return "!"
	}
	return ""
}

// quote writes a word so that iptables-restore reads it back: in double quotes unless it is letters, digits, _ and - only,
// with a backslash before quotes and backslashes (xtables_save_string).
func quote(s string) string {
	const plain = "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if strings.IndexByte(`"\'`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// hasControl reports whether a text holds a character that no line of iptables-save could carry.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
