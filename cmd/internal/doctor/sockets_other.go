//go:build !unix

package doctor

import "uswitch/tap"

// Sockets tries nothing.
func Sockets() []tap.Trial { return nil }
