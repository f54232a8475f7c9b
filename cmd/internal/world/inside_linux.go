package world

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"uswitch/tap"
)

// endInside ends the processes that are in a namespace of ours, as the end of a container's first process does: what a command
// has started and let go of, or a shell that somebody has open there.
func endInside(ns tap.Namespace) {
	want := fmt.Sprintf("net:[%d]", ns.ID.Inode)
	proc, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		path := filepath.Join("/proc", name, "ns/net")
		if where, err := os.Readlink(path); err != nil || where != want {
			continue
		}
		process, err := unix.PidfdOpen(pid, 0) // from here on the number cannot become somebody else's
		if err != nil {
			continue
		}
		if where, err := os.Readlink(path); err == nil && where == want {
			_ = unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0)
		}
		unix.Close(process)
	}
}
