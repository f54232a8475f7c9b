package probe

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"uswitch/tap"
)

// Neighbors is the neighbour table of a namespace, for whoever sends so much that it would fill up: all namespaces of a
// machine share its room (net.ipv4.neigh.default.gc_thresh3), and what was learned in the last five seconds is not evicted.
type Neighbors struct{ fd int }

// OpenNeighbors opens the table of a namespace.
func OpenNeighbors(ns tap.Namespace) (n Neighbors, err error) {
	err = tap.Do(ns, func() (err error) {
		n.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return os.NewSyscallError("socket", err)
	})
	return n, err
}

// Close closes it.
func (n Neighbors) Close() { unix.Close(n.fd) }

// arpRequest is struct arpreq of linux/if_arp.h.
type arpRequest struct {
	protocol, hardware [16]byte // struct sockaddr
	flags              int32
	netmask            [16]byte
	device             [16]byte
}

// Forget removes a neighbour, if it is there (arp(7), SIOCDARP).
func (n Neighbors) Forget(a netip.Addr) {
	var r arpRequest
	family := uint16(unix.AF_INET)
	copy(r.protocol[:], (*[2]byte)(unsafe.Pointer(&family))[:])
	ip := a.As4()
	copy(r.protocol[4:], ip[:])
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(n.fd), unix.SIOCDARP, uintptr(unsafe.Pointer(&r)))
}

// Overflows returns how often the machine's neighbour table had no room.
func Overflows() (n uint64) {
	text, err := os.ReadFile("/proc/net/stat/arp_cache")
	if err != nil {
		return 0
	}
	column := -1
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if column < 0 {
			column = len(fields) - 1
			if column < 0 || fields[column] != "table_fulls" {
				return 0
			}
			continue
		}
		if column < len(fields) {
			count, _ := strconv.ParseUint(fields[column], 16, 64)
			n += count
		}
	}
	return n
}
