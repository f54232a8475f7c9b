package world

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// endInside ends the processes that are in namespaces of ours, which are given by their inode numbers, as the end of a
// container's first process does: what a command has started and let go of, or a shell that somebody has open there.
func endInside(namespaces map[uint64]bool) {
	ours := map[string]bool{}
	for inode := range namespaces {
		ours[fmt.Sprintf("net:[%d]", inode)] = true
	}
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
		inside, err := os.Readlink(path)
		if err != nil || !ours[inside] {
			continue
		}
		process, err := unix.PidfdOpen(pid, 0) // from here on the number cannot become somebody else's
		if err != nil {
			continue
		}
		if now, err := os.Readlink(path); err == nil && ours[now] {
			_ = unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0)
		}
		unix.Close(process)
	}
}
