package server

import (
	"net"
	"net/http"
)

// SetPeer replaces how a server finds out who is at the other end.
func (s *Server) SetPeer(f func(net.Conn) (int, error)) { s.guard.peer = f }

// MaxStreams is how many can listen at once.
const MaxStreams = maxStreams

// Routed reports whether something answers a request.
func (s *Server) Routed(method, path string) bool {
	r, _ := http.NewRequest(method, "http://uswitch"+path, nil)
	_, pattern := s.routed().Handler(r)
	return pattern == method+" "+path
}
