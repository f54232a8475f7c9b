//go:build unix

package view

import (
	"os"

	"golang.org/x/sys/unix"
)

// columns returns the width of the terminal behind a file; 0 if there is none. A terminal that does not know its width
// has 80.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0
	case size.Col == 0:
		return 80
	}
	return int(size.Col)
}
