package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// command returns a service's argument vector, entrypoint first, or nil where it runs nothing.
func (b *builder) command(service types.ServiceConfig, at path) []string {
	argv := slices.Concat(service.Entrypoint, service.Command)
	if len(argv) == 0 {
		return nil
	}
	if argv[0] == "" || slices.ContainsFunc(argv, func(arg string) bool { return strings.ContainsRune(arg, 0) }) {
		b.wrong(at.to("command"), "want a program's name first, and no zero bytes")
	}
	return argv
}

// commands checks the commands that are one text, before compose-go splits them into words: it stops without a word at
// the first character that only a shell understands, and a person would look for the rest of the command for a long time.
func (s *source) commands(file map[string]any) {
	for _, name := range s.keys(path{"services"}) {
		for _, key := range []string{"entrypoint", "command"} {
			text, _ := mapping(file, "services", name)[key].(string)
			if problem := shellSyntax(text); problem != "" {
				s.wrong(path{"services", name, key}, "%s", problem)
			}
		}
	}
}

// shellSyntax says what in a command needs a shell, or is not finished; empty if nothing.
func shellSyntax(command string) string {
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
		case strings.IndexByte(";&|<>()", c) >= 0:
			return fmt.Sprintf("%q is for a shell, and there is none: want [sh, -c, '...'], or quotes around it", c)
		}
	}
	if quote != 0 {
		return fmt.Sprintf("the quote %q is not closed", quote)
	}
	return ""
}
