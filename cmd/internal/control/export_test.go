package control

import (
	"net"
	"time"
)

// SetPeer replaces how a server finds out who is at the other end.
func (s *Server) SetPeer(f func(net.Conn) (int, error)) { s.guard.peer = f }

// SetPatience replaces how long Follow waits for the end.
func (c *Client) SetPatience(d time.Duration) { c.patience = d }

// MaxStreams is how many can listen at once.
const MaxStreams = maxStreams
