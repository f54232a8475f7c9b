package uplink

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is how many datagrams one system call reads at most. Twice as many are hardly faster, for what is saved is
// only the way into the kernel and back, and each needs a buffer of its own.
const batchSize = 16

// batch is what recvmmsg(2) needs to read datagrams, each with its sender and control messages. What lies in it counts
// until the next receive. It is taken from a pool while there is something to read, and takes its buffers only when it
// needs them: one, as long as single datagrams come.
type batch struct {
	heads   [batchSize]unix.Mmsghdr
	parts   [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet4
	buffers [batchSize]packetBuffer
	oobs    [batchSize][oobSize]byte
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch() *batch { return batches.Get().(*batch) }

// release gives the batch back, and its buffers.
func (in *batch) release() {
	for i, b := range in.buffers {
		if b == nil {
			break
		}
		in.buffers[i], in.parts[i].Base = nil, nil
		buffers.Put(b)
	}
	batches.Put(in)
}

// receive reads up to most datagrams to position at of as many buffers, without waiting, and returns how many there were.
func (in *batch) receive(fd, at, most int) (int, error) {
	for i := range most {
		if in.buffers[i] == nil {
			in.buffers[i] = buffers.Get().(packetBuffer)
		}
		in.parts[i].Base = &in.buffers[i][at]
		in.parts[i].SetLen(len(in.buffers[i]) - at)
		h := &in.heads[i].Hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&in.names[i])), unix.SizeofSockaddrInet4
		h.Iov, h.Control = &in.parts[i], &in.oobs[i][0]
		h.SetIovlen(1)
		h.SetControllen(oobSize)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in.heads)), uintptr(most),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// received returns what the i-th datagram came with.
func (in *batch) received(i int) received {
	h := &in.heads[i].Hdr
	r := received{n: int(in.heads[i].Len), ttl: 64}
	if name := &in.names[i]; h.Namelen >= unix.SizeofSockaddrInet4 && name.Family == unix.AF_INET {
		port := (*[2]byte)(unsafe.Pointer(&name.Port)) // in network order
		r.from = netip.AddrPortFrom(netip.AddrFrom4(name.Addr), binary.BigEndian.Uint16(port[:]))
	}
	r.read(in.oobs[i][:h.Controllen])
	return r
}
