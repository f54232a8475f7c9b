//go:build !unix

package pcap

import "io/fs"

// There are no such flags here; what is opened is looked at all the same.
const noFollow, nonBlock = 0, 0

func ownedAlone(fs.FileInfo) bool { return true }
