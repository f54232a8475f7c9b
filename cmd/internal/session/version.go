package session

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// release and commit are what the Makefile builds in (-ldflags -X), from git's words; a plain go build has neither.
var release, commit string

// Version returns the version in one line: the release, or the module's version; the commit that it was built from, where
// that is known; Go's, and the machine's kind.
func Version() string {
	version, from := release, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		version, from = cmp.Or(version, info.Main.Version), cmp.Or(from, revision(info))
	}
	words := []string{"uswitch", cmp.Or(version, "(devel)")}
	if from != "" {
		words = append(words, "commit "+from)
	}
	return strings.Join(append(words, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH), " ")
}

// revision returns the commit that Go itself noted, shortened as git shortens it.
func revision(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}
