package rule

import (
	"strconv"
	"strings"
)

// parseNumber reads an unsigned number as iptables does (xtables_strtoui with base 0): decimal, 0x hexadecimal, or octal
// with a leading 0. ok is false if it is no number or larger than limit.
func parseNumber(s string, limit uint64) (n uint64, ok bool) {
	base := 10
	switch {
	case len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'):
		base, s = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil && n <= limit
}

// leadingNumber reads the number that s begins with, as parseNumber does, blanks and a plus sign before it included, and
// returns what follows. ok is false if s begins with none, or with one larger than limit.
func leadingNumber(s string, limit uint64) (n uint64, rest string, ok bool) {
	s = strings.TrimPrefix(strings.TrimLeft(s, " \t\n\v\f\r"), "+")
	digits := "0123456789"
	end := 0
	switch {
	case len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && strings.IndexByte(hexDigits, s[2]) >= 0:
		digits, end = hexDigits, 2
	case len(s) > 1 && s[0] == '0':
		digits = "01234567"
	}
	for end < len(s) && strings.IndexByte(digits, s[end]) >= 0 {
		end++
	}
	n, ok = parseNumber(s[:end], limit)
	return n, s[end:], ok
}

const hexDigits = "0123456789abcdefABCDEF"

// hex prints a mark as iptables does.
func hex(v uint32) string { return "0x" + strconv.FormatUint(uint64(v), 16) }

// decimal prints any small number.
func decimal[T ~uint8 | ~uint16 | ~uint32 | ~int](v T) string { return strconv.FormatInt(int64(v), 10) }
