package tap

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// maxFrame is more than a TAP can hand out: 65521 bytes of MTU, an Ethernet header, and VLAN tags. So no frame is cut.
const maxFrame = 64<<10 + 64

// plain is a TAP without offload headers: each read and each write is one frame, complete, as on a wire.
type plain struct {
	host *local
	file *os.File // reads wait in Go's poller
	buf  []byte   // of the one reader

	// Errors that the data path returns are made beforehand, with the card's name.
	gone, down, full, offload error
	name                      string // for the others: eth0 in namespace RED

	// mu is held shared by writers, so that fd is not closed, and used for something else, under a write system call.
	mu      sync.RWMutex
	fd      int
	closed  bool
	watches []*os.File // the sockets of Watch
}

func newPlain(host *local, file *os.File, fd int, name string) *plain {
	return &plain{
		host:    host,
		file:    file,
		buf:     make([]byte, maxFrame),
		name:    name,
		gone:    fmt.Errorf("%s: %w", name, ErrGone),
		down:    fmt.Errorf("%s: %w", name, ErrDown),
		full:    fmt.Errorf("%s: %w", name, ErrFull),
		offload: fmt.Errorf("%s: %w", name, ErrOffload),
		fd:      fd,
	}
}

// Read implements Device. The poller hides EAGAIN and EINTR, and a TAP that is down has nothing to read; so whatever
// error is left is the end: EBADFD or EFAULT or an error condition from poll when the card was deleted under us
// (drivers/net/tun.c: tun_ring_recv, tun_chr_poll), or that the file is closed.
func (d *plain) Read() (frame.Frame, error) {
	n, err := d.file.Read(d.buf)
	if err != nil {
		return frame.Frame{}, fmt.Errorf("%w: %w", d.gone, err)
	}
	return frame.Frame{Data: d.buf[:n]}, nil
}

// Write implements Device. It goes past os.File, whose lock would make writers wait for each other.
func (d *plain) Write(f frame.Frame) error {
	if f.Offload.NeedsChecksum || f.Offload.GSO != frame.GSONone {
		return d.offload
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return d.gone
	}
	for {
		_, err := unix.Write(d.fd, f.Data)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
			continue
		case unix.EIO: // tun_get_user: the card is not up
			return d.down
		case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
			return d.full
		case unix.EBADFD:
			return d.gone
		}
		return fmt.Errorf("%s: write of %d bytes: %w", d.name, len(f.Data), err)
	}
}

// Close implements Device.
func (d *plain) Close() error {
	d.mu.Lock()
	closed, watches := d.closed, d.watches
	d.closed, d.watches = true, nil
	d.mu.Unlock() // no writer is left, and none will come
	if closed {
		return nil
	}
	for _, watch := range watches {
		watch.Close()
	}
	return d.file.Close()
}
