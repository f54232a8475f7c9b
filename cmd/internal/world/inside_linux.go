package world

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// endInside ends the processes that are in namespaces of ours, which are given by their inode numbers, as the end of a
// container's first process does: what a command has started and let go of, or a shell that somebody has open there.
func endInside(namespaces map[uint64]bool) {
	for _, pid := range processesIn(namespaces) {
		process, err := unix.PidfdOpen(pid, 0) // from here on the number cannot become somebody else's
		if err != nil {
			continue
		}
		if isIn(pid, namespaces) {
			_ = unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0)
		}
		unix.Close(process)
	}
}

// processesIn returns the processes in network namespaces, but for this one.
func processesIn(namespaces map[uint64]bool) (pids []int) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err == nil && pid != os.Getpid() && isIn(pid, namespaces) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isIn reports whether a process is in one of some network namespaces.
func isIn(pid int, namespaces map[uint64]bool) bool {
	var inode uint64
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err == nil {
		_, err = fmt.Sscanf(link, "net:[%d]", &inode)
	}
	return err == nil && namespaces[inode]
}
