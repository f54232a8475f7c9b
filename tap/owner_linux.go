package tap

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ownerOf finds the process that holds the TAP with this name in a namespace, and returns 0 if it is none or cannot be
// known: the interface may be of another kind, or the process out of sight.
func ownerOf(ns Namespace, name string) int {
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, path := range descriptors {
		if target, err := os.Readlink(path); err != nil || target != "/dev/net/tun" {
			continue
		}
		info, err := os.ReadFile(strings.Replace(path, "/fd/", "/fdinfo/", 1))
		if err != nil || !strings.Contains(string(info)+"\n", "iff:\t"+name+"\n") {
			continue
		}
		var pid, fd int
		if _, err := fmt.Sscanf(path, "/proc/%d/fd/%d", &pid, &fd); err != nil {
			continue
		}
		if inode, err := namespaceOfTAP(pid, fd); err == nil && inode == ns.ID.Inode {
			return pid
		}
	}
	return 0
}

// namespaceOfTAP returns the inode number of the namespace of another process's TAP. It borrows the descriptor
// (pidfd_getfd, Linux 5.6) to ask.
func namespaceOfTAP(pid, fd int) (uint64, error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(pidfd)
	tap, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(tap)
	namespace, err := unix.IoctlRetInt(tap, unix.TUNGETDEVNETNS)
	if err != nil {
		return 0, err
	}
	defer unix.Close(namespace)
	var stat unix.Stat_t
	err = unix.Fstat(namespace, &stat)
	return stat.Ino, err
}
