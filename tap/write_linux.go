package tap

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writeFrame is one write system call. An empty header is none.
func writeFrame(fd int, header, data []byte) syscall.Errno {
	if len(header) == 0 || len(data) == 0 {
		_, _, err := unix.Syscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
		return err
	}
	parts := [2]unix.Iovec{{Base: &header[0]}, {Base: &data[0]}}
	parts[0].SetLen(len(header))
	parts[1].SetLen(len(data))
	_, _, err := unix.Syscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&parts)), uintptr(len(parts)))
	return err
}
