package rule

import (
	"strings"

	"uswitch/switch/frame"
)

// tcpFlagNames are the flags that --tcp-flags knows, in the order in which they are printed.
var tcpFlagNames = []struct {
	name string
	flag frame.TCPFlags
}{
	{"FIN", frame.FIN}, {"SYN", frame.SYN}, {"RST", frame.RST}, {"PSH", frame.PSH}, {"ACK", frame.ACK}, {"URG", frame.URG},
}

// allTCPFlags is what ALL means.
const allTCPFlags = frame.FIN | frame.SYN | frame.RST | frame.PSH | frame.ACK | frame.URG

// parseTCPFlags reads a list of flags with commas, or ALL, or NONE.
func parseTCPFlags(arg string) (flags frame.TCPFlags, err error) {
next:
	for word := range strings.SplitSeq(arg, ",") {
		switch {
		case strings.EqualFold(word, "ALL"):
			flags |= allTCPFlags
			continue
		case strings.EqualFold(word, "NONE"):
			continue
		}
		for _, f := range tcpFlagNames {
			if strings.EqualFold(word, f.name) {
				flags |= f.flag
				continue next
			}
		}
		return 0, usage("Unknown TCP flag `%s'", word)
	}
	return flags, nil
}

// flagNames prints flags as parseTCPFlags reads them.
func flagNames(flags frame.TCPFlags) string {
	var names []string
	for _, f := range tcpFlagNames {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	if len(names) == 0 {
		return "NONE"
	}
	return strings.Join(names, ",")
}

// flagBits prints flags as a numeric listing has them.
func flagBits(flags frame.TCPFlags) string {
	const digits = "0123456789ABCDEF"
	return "0x" + string(digits[flags>>4]) + string(digits[flags&15])
}
