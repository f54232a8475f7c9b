package uplink

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ports chooses the outside ports of TCP connections, one after the other with random gaps (RFC 6056 3.3.5), so that a port
// rests for as long as possible. The kernel would choose too, but it looks at every port that a connection of the last
// minute has had before it finds one that none had.
type ports struct {
	first, count uint32
	last         atomic.Uint32
}

// portGap bounds the gaps.
const portGap = 8

// newPorts takes the host's range of ephemeral ports.
func newPorts() *ports {
	first, last := ephemeral()
	p := &ports{first: first, count: last - first + 1}
	p.last.Store(rand.Uint32())
	return p
}

// ephemeral returns the ports that this machine gives to whoever asks for any.
func ephemeral() (first, last uint32) {
	first, last = 32768, 60999
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(text), &first, &last) // what cannot be read stays as the kernel has it by default
	}
	return first, last
}

// next returns the port to try next.
func (p *ports) next() uint16 {
	return uint16(p.first + p.last.Add(1+rand.Uint32N(portGap))%p.count)
}

// bindTriesTCP is how many ports are tried before the kernel is asked to find one.
const bindTriesTCP = 16

// bind binds a TCP socket to a port that nobody has, and allows further connections of the same inside endpoint to share
// it (socket(7): SO_REUSEADDR). It returns the port, or 0 if the kernel knows which.
func (p *ports) bind(fd int) (port uint16, err error) {
	err = unix.EADDRINUSE
	for try := 0; try < bindTriesTCP && errors.Is(err, unix.EADDRINUSE); try++ {
		port = p.next()
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)})
	}
	if errors.Is(err, unix.EADDRINUSE) {
		port, err = 0, unix.Bind(fd, &unix.SockaddrInet4{})
	}
	if err != nil {
		return 0, err
	}
	return port, sharePort(fd)
}
