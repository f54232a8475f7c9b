package hosttool

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// namespaceOf returns the inode of the network namespace that a process of this machine is in.
func namespaceOf(pid string) (inode uint64, err error) {
	link, err := os.Readlink("/proc/" + pid + "/ns/net")
	if err == nil {
		_, err = fmt.Sscanf(link, "net:[%d]", &inode)
	}
	return inode, err
}

// processesIn lists the processes of this machine in a network namespace, the lowest number first.
func processesIn(inode uint64) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, path := range links {
		text, _, _ := strings.Cut(strings.TrimPrefix(path, "/proc/"), "/")
		if in, err := namespaceOf(text); err == nil && in == inode {
			pid, _ := strconv.Atoi(text)
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
