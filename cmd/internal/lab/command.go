package lab

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// command returns a service's argument vector, entrypoint first, or nil where it runs nothing.
func (b *builder) command(service types.ServiceConfig, at path) []string {
	for _, key := range []string{"entrypoint", "command"} {
		text, ok := mapping(b.file, at...)[key].(string)
		if operator := shellOperator(text); ok && operator != "" {
			b.wrong(at.to(key), "%q is for a shell, and there is none: want [sh, -c, '...']", operator)
		}
	}
	argv := slices.Concat(service.Entrypoint, service.Command)
	if len(argv) == 0 {
		return nil
	}
	if argv[0] == "" || slices.ContainsFunc(argv, func(arg string) bool { return strings.ContainsRune(arg, 0) }) {
		b.wrong(at.to("command"), "want a program's name first, and no zero bytes")
	}
	return argv
}

// shellOperator returns the first character outside of quotes that only a shell understands. The library that splits a
// command into words stops there without a word; a person would look for the rest of the command for a long time.
func shellOperator(command string) string {
	var quote byte
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case strings.IndexByte(";&|<>", c) >= 0:
			return string(c)
		}
	}
	return ""
}
