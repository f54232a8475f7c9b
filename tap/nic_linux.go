package tap

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nic is what both kinds of Device are: the descriptor of a TAP, and everything about it but what its bytes mean.
type nic struct {
	host *local
	file *os.File    // reads wait in Go's poller
	name string      // for errors: eth0 in namespace RED
	home *Namespace  // that it was made in, nil if it was moved where it is
	lost atomic.Bool // home has lost its name
	in   reader

	// Errors that the data path returns are made beforehand, with the interface's name.
	gone, down, full, offload error

	// mu is held shared by writers, so that fd is not closed, and used for something else, under a write system call.
	mu      sync.RWMutex
	fd      int
	closed  bool
	watches []*watch
}

// newNIC takes over the file of a TAP. It is closed if that fails.
func newNIC(host *local, file *os.File, name string) (*nic, error) {
	d := &nic{
		host:    host,
		file:    file,
		name:    name,
		gone:    fmt.Errorf("%s: %w", name, ErrGone),
		down:    fmt.Errorf("%s: %w", name, ErrDown),
		full:    fmt.Errorf("%s: %w", name, ErrFull),
		offload: fmt.Errorf("%s: %w", name, ErrOffload),
	}
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	d.in.init(raw, &host.buffers)
	host.gate.open()
	return d, control(file, func(fd int) error {
		d.fd = fd
		return nil
	})
}

// read waits for the next frame, with the header in front of it if the TAP has one. A TAP that is down has nothing to
// read; so whatever error comes is the end: EBADFD or EFAULT or an error condition from poll when the interface was deleted
// under us (drivers/net/tun.c: tun_ring_recv, tun_chr_poll), or that the file is closed.
func (d *nic) read() ([]byte, error) {
	b, err := d.in.next()
	if err != nil && d.lost.Load() {
		return nil, fmt.Errorf("%w: its namespace was deleted", d.gone)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", d.gone, err)
	}
	return b, nil
}

// Waited says whether the last Read had to wait for its frame, for whoever wants to know (vswitch.Burster). It belongs to
// the goroutine that reads.
func (d *nic) Waited() bool { return d.in.waited }

// Yield lets every other interface, and whoever else is ready, have a turn before the next Read (vswitch.Yielder). It belongs to
// the goroutine that reads.
func (d *nic) Yield() { d.host.gate.yield() }

// write hands a frame to the kernel, behind the header if the TAP has one, else it is nil. It goes past os.File, whose lock
// would make writers wait for each other.
func (d *nic) write(header *virtioHeader, data []byte) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return d.gone
	}
	for {
		var err syscall.Errno
		if header == nil {
			err = writeFrame(d.fd, data)
		} else {
			err = writeBehind(d.fd, header, data)
		}
		switch err {
		case 0:
			return nil
		case unix.EINTR:
			continue
		case unix.EIO: // tun_get_user: the interface is not up
			return d.down
		case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
			return d.full
		case unix.EBADFD:
			return d.gone
		default:
			return d.refused(data, err)
		}
	}
}

// refused is apart because it allocates, which would cost every Write.
func (d *nic) refused(data []byte, err syscall.Errno) error {
	return fmt.Errorf("%s: write of %d bytes: %w", d.name, len(data), err)
}

// Ready says whether a Write would be taken at this moment, for whoever wants to know (vswitch.Carrier): poll finds a TAP
// writable when its interface is up and its queue has room (drivers/net/tun.c: tun_sock_writeable; before Linux 5.0 also when it is
// down).
func (d *nic) Ready() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	fds := [1]unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLOUT}}
	if d.closed {
		return false
	}
	_, err := unix.Poll(fds[:], 0)
	return err != nil || fds[0].Revents == unix.POLLOUT
}

// Close implements Device.
func (d *nic) Close() error {
	d.mu.Lock()
	closed, watches := d.closed, d.watches
	d.closed, d.watches = true, nil
	d.mu.Unlock() // no writer is left, and none will come
	if closed {
		return nil
	}
	if d.home != nil {
		d.host.homes.remove(d)
	}
	for _, watch := range watches {
		watch.stop()
	}
	return d.file.Close()
}

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

// maxFrame is more than a TAP can hand out: 64 KiB of IP packet, an Ethernet header, VLAN tags, and the header of
// package virtio in front. So no frame is cut.
const maxFrame = 64<<10 + 64

type buffer [maxFrame]byte

// buffers are shared by all interfaces: an interface has one while its reader works on a frame, and none while it waits for the next.
// So thousands of idle interfaces cost no more than the busy ones.
type buffers struct{ pool sync.Pool }

func (s *buffers) borrow() *buffer {
	if b, ok := s.pool.Get().(*buffer); ok {
		return b
	}
	return new(buffer)
}

func (s *buffers) giveBack(b *buffer) { s.pool.Put(b) }

// reader reads frames from a descriptor. One goroutine uses it.
type reader struct {
	raw    syscall.RawConn
	shared *buffers
	try    func(fd uintptr) (done bool) // the method, as a value that is made once

	buf    *buffer // borrowed; nil while there is nothing to read
	n      int     // bytes of the frame in it
	waited bool    // before there was something to read
	err    syscall.Errno
}

func (r *reader) init(raw syscall.RawConn, shared *buffers) {
	r.raw, r.shared = raw, shared
	r.try = r.attempt
}

// next waits for a frame and returns its bytes, which stay until the next call.
func (r *reader) next() ([]byte, error) {
	r.waited = false
	err := r.raw.Read(r.try)
	if err == nil && r.err != 0 {
		err = r.err
	}
	if err != nil {
		r.release()
		return nil, err
	}
	return r.buf[:r.n], nil
}

// attempt is called by Go's poller, at first and whenever there may be something to read, until it returns true. A buffer
// that is still here from the frame before is used again: an interface that is busy never goes to the pool.
func (r *reader) attempt(fd uintptr) (done bool) {
	if r.buf == nil {
		r.buf = r.shared.borrow()
	}
	for {
		r.n, r.err = readFrame(fd, r.buf)
		switch r.err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			r.release()
			r.waited = true
			return false
		}
		return true
	}
}

func (r *reader) release() {
	if r.buf != nil {
		r.shared.giveBack(r.buf)
		r.buf = nil
	}
}
