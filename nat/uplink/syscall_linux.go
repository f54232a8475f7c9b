package uplink

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls that move a splice's bytes are made without telling Go's scheduler, as those of a TAP are
// (tap/syscall_linux.go): neither waits for anything, and when both ends are on this machine a write goes through the
// receiver's whole TCP, for which the scheduler would take the processor away as if it were waiting. It was worth a third of
// the processor time of a byte's way there and back.

func readNow(fd int, b []byte) (int, error) { return transfer(unix.SYS_READ, fd, b) }

func writeNow(fd int, b []byte) (int, error) { return transfer(unix.SYS_WRITE, fd, b) }

func transfer(call uintptr, fd int, b []byte) (int, error) {
	n, _, err := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}
