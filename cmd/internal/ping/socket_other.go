//go:build !unix

package ping

import (
	"errors"
	"net/netip"
	"time"
)

// socket cannot be had: only Unix has sockets for ICMP that a program may use.
type socket struct{ raw bool }

func open(netip.Addr, int) (*socket, error) { return nil, errors.New("needs Unix") }

func (*socket) send([]byte) error { return errors.ErrUnsupported }

func (*socket) receive(time.Duration) (message, error) { return message{}, errors.ErrUnsupported }

func (*socket) close() {}
