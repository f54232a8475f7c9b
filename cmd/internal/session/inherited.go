package session

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// inherited are the descriptors besides the three streams that whoever has started this process has left open, at the
// number from 3 on that they have; nil where there is none.
var inherited []*os.File

// keepInherited keeps the programs of hosts from them: they are for this process and what its person runs beside the lab.
func keepInherited() {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd < 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue // our own, or gone
		}
		syscall.CloseOnExec(fd)
		for len(inherited) <= fd-3 {
			inherited = append(inherited, nil)
		}
		inherited[fd-3] = os.NewFile(uintptr(fd), name)
	}
}
