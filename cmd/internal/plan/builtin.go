package plan

import (
	"embed"
	"strings"
)

//go:embed builtin/*.yaml
var builtinFiles embed.FS

// Builtin is a lab that comes with uswitch.
type Builtin struct {
	Name  string
	About string // one line
}

// Builtins returns the labs that come with uswitch, sorted by name. A lab's line is the first comment of its file.
func Builtins() []Builtin {
	var all []Builtin
	for _, name := range builtinNames() {
		data, _ := builtin(name)
		first, _, _ := strings.Cut(string(data), "\n")
		all = append(all, Builtin{Name: name, About: strings.TrimPrefix(first, "# ")})
	}
	return all
}

// Source returns the Compose file of a built-in lab, comments and all: it is meant to be read, copied and changed.
func Source(name string) (text []byte, ok bool) { return builtin(name) }

func builtin(name string) ([]byte, bool) {
	data, err := builtinFiles.ReadFile("builtin/" + name + ".yaml")
	return data, err == nil
}

// builtinNames relies on embed.FS, which lists a directory in order.
func builtinNames() []string {
	entries, _ := builtinFiles.ReadDir("builtin")
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}
