package session

import (
	"runtime"
	"runtime/debug"
)

// Version returns the version in one line: the module's, the commit it was built from, and Go's.
func Version() string {
	text := "uswitch"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text + " " + runtime.Version()
	}
	text += " " + info.Main.Version
	return text + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}
