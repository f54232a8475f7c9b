package server

import (
	"net"
)

// SetPeer replaces how a server finds out who is at the other end.
func (s *Server) SetPeer(f func(net.Conn) (int, error)) { s.guard.peer = f }

// MaxStreams is how many can listen at once.
const MaxStreams = maxStreams
