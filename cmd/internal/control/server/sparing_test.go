package server

import (
	"net"
	"os"
	"syscall"
	"testing"
)

// exhausted is a listener that has no descriptor for the next clients.
type exhausted struct {
	net.Listener
	times int
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.times--; e.times >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	one, _ := net.Pipe()
	return one, nil
}

func (e *exhausted) Close() error { return nil }

// TestSparing: a socket that has run out of descriptors gives up its own, and gets them back.
func TestSparing(t *testing.T) {
	e := &exhausted{times: 3}
	s := newSparing(e)
	c, err := s.Accept()
	if err != nil || len(s.reserved) != spares-3 {
		t.Fatalf("%v; %d are left, want %d", err, len(s.reserved), spares-3)
	}
	c.Close()
	if len(s.reserved) != spares {
		t.Errorf("%d afterwards, want %d", len(s.reserved), spares)
	}
	e.times = 1000
	if _, err := s.Accept(); err == nil {
		t.Error("it accepts with nothing left")
	}
	s.Close()
	if c.Close(); len(s.reserved) != 0 {
		t.Errorf("closed, it keeps %d", len(s.reserved))
	}
}
