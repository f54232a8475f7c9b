package rootless

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// rounds bounds how often EndLeft looks for processes that were begun while it ended others.
const rounds = 20

// EndLeft ends the processes that a lab's namespaces still have: programs that have let go of a lab that was killed. It returns
// how many there were. Nobody runs the lab, whose lock the caller has. They are known by the lab's tmpfs among their mounts.
func EndLeft(dir, lab string) (ended int) {
	for range rounds {
		found := left(dir, lab)
		for _, process := range found {
			if unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0) == nil {
				ended++
				awaitEnd(process)
			}
			unix.Close(process)
		}
		if len(found) == 0 {
			break
		}
	}
	return ended
}

// left returns descriptors of the processes in a lab's namespaces.
func left(dir, lab string) (processes []int) {
	own, _ := os.Readlink("/proc/self/ns/user")
	paths, _ := filepath.Glob("/proc/[0-9]*/ns/user")
	for _, path := range paths {
		if theirs, err := os.Readlink(path); err != nil || theirs == own {
			continue // somebody else's, or in no namespace of its own
		}
		number := strings.Split(path, "/")[2]
		pid, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		process, err := unix.PidfdOpen(pid, 0) // from here on the number cannot become somebody else's
		if err != nil {
			continue
		}
		mounts, err := os.ReadFile("/proc/" + number + "/mountinfo")
		if err == nil && hasMount(string(mounts), filepath.Join(dir, InsideName), sourcePrefix+lab) {
			processes = append(processes, process)
			continue
		}
		unix.Close(process)
	}
	return processes
}

// escapes are what stands in mountinfo for what would end a field (proc_pid_mountinfo(5)).
var escapes = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)

// hasMount reports whether a table of mounts has a tmpfs of that source at a path:
//
//	412 380 0:61 / /run/user/1000/uswitch/inside rw,nosuid,nodev - tmpfs uswitch:red-blue rw,mode=755
func hasMount(mountinfo, at, source string) bool {
	at = escapes.Replace(at)
	for line := range strings.Lines(mountinfo) {
		mount, kind, ok := strings.Cut(strings.TrimSpace(line), " - ")
		fields, of := strings.Fields(mount), strings.Fields(kind)
		if ok && len(fields) > 4 && fields[4] == at && len(of) > 1 && of[0] == "tmpfs" && of[1] == source {
			return true
		}
	}
	return false
}

// endTime is how long one process is waited for that was killed, in milliseconds.
const endTime = 1000

func awaitEnd(process int) {
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, endTime); err != unix.EINTR {
			return
		}
	}
}
