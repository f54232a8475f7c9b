package rule

import "strconv"

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

// hex prints a mark as iptables does.
func hex(v uint32) string { return "0x" + strconv.FormatUint(uint64(v), 16) }

// decimal prints any small number.
func decimal[T ~uint8 | ~uint16 | ~uint32 | ~int](v T) string { return strconv.FormatInt(int64(v), 10) }
