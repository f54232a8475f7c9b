package tap

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kept is what a lab that is up needs: apply and docker run make and enter namespaces, mount, make interfaces, open ports and start
// programs as other users, whom they then have to find and to end. What root has besides is nobody's business here.
const kept uint64 = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SYS_CHROOT | // setns into mounts and networks, mount (setns(2))
	1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW | 1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_NET_BROADCAST |
	1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETPCAP | 1<<unix.CAP_SYS_RESOURCE | 1<<unix.CAP_SYS_NICE |
	1<<unix.CAP_KILL | 1<<unix.CAP_SYS_PTRACE |
	1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_CHOWN | 1<<unix.CAP_FOWNER

// KeepCapabilities takes from this process all capabilities but those that a lab needs while it is up, and reports whether that could be
// done. Its programs are not concerned: what root executes has what the bounding set has (Rights). Nor is that a wall against who has
// taken this process over, for CAP_SYS_ADMIN stays: it is what it no longer does by mistake. A program that is linked with C has
// threads that Go does not know, and keeps all (syscall.AllThreadsSyscall).
func KeepCapabilities() bool {
	header, data, err := capabilities()
	if err != nil {
		return false
	}
	for i := range data {
		mask := uint32(kept >> (32 * i))
		data[i].Effective &= mask
		data[i].Permitted &= mask
		data[i].Inheritable &= mask
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(data)), 0)
	runtime.KeepAlive(header)
	runtime.KeepAlive(data)
	return errno == 0
}

// CanKeepCapabilities reports whether this program is one that KeepCapabilities can change: one without C.
func CanKeepCapabilities() bool {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	return errno == 0
}

// Capabilities returns those of the calling thread by bits: in effect, and those that root's programs can have.
func Capabilities() (effective, bounding uint64) {
	if _, data, err := capabilities(); err == nil {
		effective = uint64(data[0].Effective) | uint64(data[1].Effective)<<32
	}
	for c := range 64 {
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0); err != nil {
			break // the kernel knows no more
		} else if has == 1 {
			bounding |= 1 << c
		}
	}
	return effective, bounding
}

// CanBound reports whether this process may take capabilities from the programs that it starts.
func CanBound() bool {
	effective, _ := Capabilities()
	return effective>>unix.CAP_SETPCAP&1 != 0
}

// InUserNamespace reports whether this process is in another user namespace than the machine's first one, so that its capabilities are
// none over the machine (user_namespaces(7)). What cannot be read is taken for the first one.
var InUserNamespace = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
})

// capabilities are those of the calling thread.
func capabilities() (*unix.CapUserHeader, *[2]unix.CapUserData, error) {
	header, data := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &[2]unix.CapUserData{}
	return header, data, unix.Capget(header, &data[0])
}
