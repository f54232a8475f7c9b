package view

import (
	"fmt"
	"hash/fnv"
	"os"
)

// Terminal returns how wide a file's lines may be and whether colours help there: 100 columns without colour unless it
// is a terminal. NO_COLOR (no-color.org) and TERM=dumb switch colours off.
func Terminal(f *os.File) (width int, colour bool) {
	width = columns(f)
	if width == 0 {
		return 100, false
	}
	return min(width, 100), os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// IsTerminal reports whether a person sits at the other end of a file.
func IsTerminal(f *os.File) bool { return columns(f) > 0 }

// HostPrefix returns what stands in front of a line that a host's command has written: its name, as wide as the longest,
// in a colour of its own.
func HostPrefix(name string, width int, colour bool) string {
	text := fmt.Sprintf("%-*s | ", width, name)
	if !colour {
		return text
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return fmt.Sprintf("\x1b[3%dm%s\x1b[0m", 2+hash.Sum32()%5, text) // green, yellow, blue, magenta, cyan
}
