package sim

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"

	"uswitch/switch/frame"
)

// Stream is one end of a TCP connection whose bytes a program reads and writes as they come, for programs that are more
// than a question and its answer. It belongs to the scheduler's goroutine, on which its events are called too.
type Stream struct {
	conn   *conn
	events StreamEvents
	state  streamState
}

type streamState uint8

const (
	opening streamState = iota + 1
	open
	shut // Close was called, or Ended with an error: nothing is told any more
)

// StreamEvents are what a program hears of a Stream. Every function must be there.
type StreamEvents struct {
	Opened func()          // the other side has taken the connection
	Data   func([]byte)    // bytes have arrived, which may be kept
	Sent   func()          // some of what was written has arrived
	Ended  func(err error) // nil: the other side sends no more, but still listens; else the connection is gone
}

// finTime is how long the other side may go on after a program has let go of the connection (tcp_fin_timeout).
const finTime = 60 * time.Second

// ErrInUse is what Listen says of a port that is taken (EADDRINUSE).
const ErrInUse = kernelError("Address already in use")

// errTooMany is what a machine says that has no room for another connection.
var errTooMany = errors.New("too many connections")

// Dial opens a connection. The error that Ended gets before Opened was called is ErrRefused, ErrReset,
// ErrTimeout, or an ICMP error in the words of ping.
func (m *Machine) Dial(to netip.AddrPort, events StreamEvents) (*Stream, error) {
	c, err := m.newClient(to)
	if err != nil {
		return nil, err
	}
	c.stream = &Stream{conn: c, events: events, state: opening}
	c.output()
	return c.stream, nil
}

// Listen takes connections on a port: accept is called with each and says who hears of it, also that it is open. The
// function that is returned ends that; connections go on.
func (m *Machine) Listen(port uint16, accept func(*Stream) StreamEvents) (stop func(), err error) {
	if m.services[port] != nil || m.listeners[port] != nil {
		return nil, ErrInUse
	}
	m.listeners[port] = accept
	return func() { delete(m.listeners, port) }, nil
}

// Local returns the address and port of this end.
func (s *Stream) Local() netip.AddrPort {
	return netip.AddrPortFrom(s.conn.tuple.Src(), s.conn.tuple.SrcPort)
}

// Remote returns the address and port of the other end.
func (s *Stream) Remote() netip.AddrPort {
	return netip.AddrPortFrom(s.conn.tuple.Dst(), s.conn.tuple.DstPort)
}

// Write sends bytes, of which it takes a copy. It does nothing once the stream was closed or has ended with an error.
func (s *Stream) Write(b []byte) {
	if c := s.conn; !c.closing && s.state != shut {
		c.queue = append(c.queue, b...)
		s.push()
	}
}

// Queued returns how many bytes have been written that the other side has not acknowledged.
func (s *Stream) Queued() int { return len(s.conn.queue) }

// CloseWrite says that nothing more will be written, behind all that was.
func (s *Stream) CloseWrite() {
	if c := s.conn; !c.closing && s.state != shut {
		c.closing = true
		s.push()
	}
}

// push sends what may be sent, if the connection stands.
func (s *Stream) push() {
	if s.conn.state == established {
		s.conn.output()
		s.conn.settle()
	}
}

// Close lets go of the connection in order: what was written still arrives, what still comes is thrown away. A connection
// that the other side has not taken yet is given up.
func (s *Stream) Close() {
	if s.state == shut {
		return
	}
	c := s.conn
	waiting := s.state == opening && c.state != established
	s.CloseWrite()
	s.state = shut
	switch {
	case waiting:
		c.remove()
	case !c.ended:
		c.m.time.After(finTime, func() {
			if c.m.conns[c.tuple] == c && c.state == established {
				c.remove()
			}
		})
	}
}

// Abort ends the connection at once, and tells the other side so.
func (s *Stream) Abort() {
	if s.state == shut {
		return
	}
	s.state = shut
	c := s.conn
	if c.state == established {
		c.m.sendSegment(c.tuple, segment{seq: c.nxt, ack: c.rcv, flags: frame.RST | frame.ACK})
	}
	c.remove()
}

// opened is called when the handshake is done.
func (s *Stream) opened() {
	if s.state == opening {
		s.state = open
		s.events.Opened()
	}
}

// consume hands on what has arrived.
func (s *Stream) consume(b []byte, ended bool) {
	if s.state != open {
		return
	}
	if len(b) > 0 {
		s.events.Data(b)
	}
	if ended && s.state == open {
		s.events.Ended(nil)
	}
}

// gone is called when the connection is no more.
func (s *Stream) gone(err error) {
	if s.state != shut {
		s.state = shut
		s.events.Ended(err)
	}
}

// streams are those of a program. Those that are files of this machine it has to itself, as a real program has: who starts it
// closes theirs.
type streams struct {
	in        io.Reader
	out, errs io.Writer
	copies    []*os.File
}

func ownStreams(in io.Reader, out, errs io.Writer) (_ *streams, err error) {
	f := &streams{in: in, out: out, errs: errs}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	own := func(stream any, set func(*os.File)) {
		if file, is := stream.(*os.File); is && err == nil {
			var copied *os.File
			if copied, err = duplicate(file); err == nil {
				f.copies = append(f.copies, copied)
				set(copied)
			}
		}
	}
	own(in, func(c *os.File) { f.in = c })
	own(out, func(c *os.File) { f.out = c })
	own(errs, func(c *os.File) { f.errs = c })
	return f, err
}

// duplicate opens a file a second time, which blocks, or does not, as the first does.
func duplicate(file *os.File) (*os.File, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if e := conn.Control(func(from uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(from)); err == nil {
			syscall.CloseOnExec(fd)
		}
	}); e != nil {
		return nil, e
	}
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

func (f *streams) close() {
	for _, c := range f.copies {
		c.Close()
	}
}
