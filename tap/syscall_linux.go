package tap

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The two system calls of the data path are made without telling Go's scheduler. That saves a tenth of the time of a small
// frame. With large ones it saves more than that: a write takes the frame through the receiver's whole IP stack, and after
// 20 us the scheduler would take the processor away from the goroutine (runtime.sysmon), as if it were waiting. Neither
// call waits for anything, for the descriptor is non-blocking; the price is that a garbage collection may begin some
// microseconds later.

// readFrame is one read system call.
func readFrame(fd uintptr, b *buffer) (n int, err syscall.Errno) {
	r, _, err := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(b)), uintptr(len(b)))
	return int(r), err
}

// writeFrame is one write system call.
func writeFrame(fd int, data []byte) syscall.Errno {
	_, _, err := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
	return err
}

// gatherLimit is the length in bytes up to which it is cheaper to copy a frame behind its header than to have the kernel
// gather the two, which costs some 40 ns.
const gatherLimit = 256

// writeBehind is one write system call for a header with a frame behind it.
func writeBehind(fd int, header *virtioHeader, data []byte) syscall.Errno {
	if len(data) <= gatherLimit {
		var whole [virtioSize + gatherLimit]byte
		n := copy(whole[:], header[:])
		n += copy(whole[n:], data)
		return writeFrame(fd, whole[:n])
	}
	parts := [2]unix.Iovec{{Base: &header[0]}, {Base: &data[0]}}
	parts[0].SetLen(len(header))
	parts[1].SetLen(len(data))
	_, _, err := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&parts)), uintptr(len(parts)))
	return err
}
