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
	names   [batchSize]unix.RawSockaddrInet6 // which IPv4's fits
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
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&in.names[i])), unix.SizeofSockaddrInet6
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
	name := &in.names[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:]) // in both families at the same place
	switch {
	case h.Namelen >= unix.SizeofSockaddrInet6 && name.Family == unix.AF_INET6:
		r.from = netip.AddrPortFrom(scoped(name.Addr, name.Scope_id), port)
	case h.Namelen >= unix.SizeofSockaddrInet4 && name.Family == unix.AF_INET:
		r.from = netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr), port)
	}
	r.read(in.oobs[i][:h.Controllen])
	return r
}

// burst is what sendmmsg(2) needs to send datagrams that differ in nothing but their payload.
type burst struct {
	heads [maxTogether]unix.Mmsghdr
	parts [maxTogether]unix.Iovec
	to    unix.RawSockaddrInet6 // which IPv4's fits
	size  uint32                // of it, in bytes
}

var bursts = sync.Pool{New: func() any { return new(burst) }}

// release gives the burst back, with nothing of the caller's in it.
func (out *burst) release() {
	*out = burst{}
	bursts.Put(out)
}

// sendPieces sends the datagrams of a super-datagram that the kernel does not cut, as many as it takes with one system
// call. It ends with the first that is refused. Of those with DF the
// ones that are too big are left out, and the error is EMSGSIZE if that is all of them.
func (s *socket) sendPieces(payload []byte, pieces int, to netip.AddrPort, o ipOptions) error {
	out := bursts.Get().(*burst)
	defer out.release()
	out.address(to)
	message := o.message(s.v6)
	return s.control(func(fd int) error {
		s.setDontFragment(fd, o.dontFragment)
		none := len(payload) > 0
		for tries := 0; len(payload) > 0; {
			sent, err := out.send(fd, out.fill(payload, pieces, message))
			switch {
			case err == nil:
				none = false
			case err == unix.EMSGSIZE && o.dontFragment:
				sent = 1 // this one is lost, and the error queue says why; a shorter last one may still fit
			case ofEarlier(err) && tries < sendRetries:
				tries++
				continue
			default:
				return err
			}
			payload, tries = payload[min(sent*pieces, len(payload)):], 0
		}
		if none {
			return unix.EMSGSIZE
		}
		return nil
	})
}

// address writes where they go.
func (out *burst) address(to netip.AddrPort) {
	if a := to.Addr(); a.Is4() {
		four := (*unix.RawSockaddrInet4)(unsafe.Pointer(&out.to))
		four.Family, four.Addr, out.size = unix.AF_INET, a.As4(), unix.SizeofSockaddrInet4
	} else {
		out.to = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.As16(), Scope_id: scopeOf(a)}
		out.size = unix.SizeofSockaddrInet6
	}
	port := (*[2]byte)(unsafe.Pointer(&out.to.Port)) // in network order, in both families at the same place
	port[0], port[1] = byte(to.Port()>>8), byte(to.Port())
}

// fill cuts as much of the payload as fits, and returns into how many datagrams.
func (out *burst) fill(payload []byte, pieces int, message []byte) (n int) {
	for n < len(out.heads) && len(payload) > 0 {
		size := min(pieces, len(payload))
		out.parts[n].Base = &payload[0]
		out.parts[n].SetLen(size)
		h := &out.heads[n].Hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&out.to)), out.size
		h.Iov, h.Control = &out.parts[n], unsafe.SliceData(message)
		h.SetIovlen(1)
		h.SetControllen(len(message))
		payload = payload[size:]
		n++
	}
	return n
}

// send sends the first n datagrams without waiting, and returns how many of them left: at least one, or there is an error.
func (out *burst) send(fd, n int) (int, error) {
	sent, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&out.heads)), uintptr(n),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(sent), nil
}
