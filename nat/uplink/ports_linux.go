package uplink

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
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
func (p *ports) bind(fd int, v6 bool) (port uint16, err error) {
	err = unix.EADDRINUSE
	for try := 0; try < bindTriesTCP && errors.Is(err, unix.EADDRINUSE); try++ {
		port = p.next()
		err = unix.Bind(fd, anywhere(v6, port))
	}
	if errors.Is(err, unix.EADDRINUSE) {
		port, err = 0, unix.Bind(fd, anywhere(v6, 0))
	}
	if err != nil {
		return 0, err
	}
	return port, sharePort(fd)
}

// portOwner names the process that has a port, "pid 1234 (nginx)", or is empty if the system does not tell: the socket's
// inode is in /proc/net, and whoever has a descriptor of that inode is the owner. Without privileges only one's own
// processes are visible.
func portOwner(proto uint8, port uint16) string {
	inodes := map[string]bool{}
	for _, family := range []string{"", "6"} { // thread-self: the process's first thread may be in another namespace
		readInodes("/proc/thread-self/net/"+frame.ProtoName(proto)+family, proto, port, inodes)
	}
	if len(inodes) == 0 {
		return ""
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well-formed
	for _, file := range files {
		target, err := os.Readlink(file)
		if err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(file, "/")[2]
		comm, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			return "pid " + pid
		}
		return fmt.Sprintf("pid %s (%s)", pid, strings.TrimSpace(string(comm)))
	}
	return ""
}

// tcpListen is the state of a listening socket in /proc/net/tcp (TCP_LISTEN).
const tcpListen = "0A"

// readInodes collects the sockets of one table that hold the port, in the form that links in /proc/PID/fd have.
//
//	sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode
//	 0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 35843
func readInodes(table string, proto uint8, port uint16, inodes map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || !strings.HasSuffix(fields[1], suffix) || proto == frame.ProtoTCP && fields[3] != tcpListen {
			continue
		}
		inodes["socket:["+fields[9]+"]"] = true
	}
}
