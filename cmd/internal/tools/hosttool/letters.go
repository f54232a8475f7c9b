package hosttool

import "strings"

// letters are the options of one letter of a program that reads them with getopt, which may stand together and anywhere.
type letters struct {
	program string
	flags   map[byte]*bool
	values  map[byte]*string
	long    map[string]byte // --numeric for n
}

// parse takes the options off a command line and returns what else there is.
func (l letters) parse(args []string) (rest []string, err error) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case strings.HasPrefix(word, "--"):
			letter, ok := l.long[word[2:]]
			if !ok {
				return nil, l.unknown(word)
			}
			word = "-" + string(letter)
		case len(word) < 2 || word[0] != '-':
			rest = append(rest, word)
			continue
		}
		for word = word[1:]; word != ""; word = word[1:] {
			value := l.values[word[0]]
			flag := l.flags[word[0]]
			switch {
			case flag != nil:
				*flag = true
				continue
			case value == nil:
				return nil, l.unknown("-" + word[:1])
			case len(word) > 1:
				*value = word[1:]
			case len(args) > 0:
				*value, args = args[0], args[1:]
			default:
				return nil, refuse(3, "%s: option requires an argument -- '%s'", l.program, word[:1])
			}
			break
		}
	}
	return rest, nil
}

func (l letters) unknown(option string) error {
	return refuse(3, "%s: option %s is not answered here, try \"uswitch %s -h\".", l.program, option, l.program)
}
