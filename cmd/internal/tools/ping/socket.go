package ping

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Open makes a socket for echoes to an address, with a time to live or, for 0, the system's own.
type Open func(ctx context.Context, to netip.Addr, ttl int) (Socket, error)

// Socket sends ICMP messages to one address and receives them. It is used by one goroutine.
type Socket interface {
	// ID returns the identifier that all echoes get, whatever is written into them, if the socket has chosen one.
	ID() (id uint16, chosen bool)
	// Send sends a message and returns when that was.
	Send(icmp []byte) (time.Time, error)
	// Receive waits for a message, until the end of what it was opened with at most. The error is ErrTimeout, ErrClosed, or what was
	// heard about an echo.
	Receive(wait time.Duration) (Message, error)
	// Now returns the time by which those of Send and Receive are to be compared.
	Now() time.Time
	Close()
}

// What Receive says when there is no message.
var (
	ErrTimeout = errors.New("nothing came")
	ErrClosed  = errors.New("nothing will come")
)

// Message is what was received.
type Message struct {
	ICMP []byte // lent until the next Receive
	From netip.Addr
	TTL  int
	At   time.Time
}
