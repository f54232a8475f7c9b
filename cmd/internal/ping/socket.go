package ping

import (
	"errors"
	"net/netip"
)

// errTimeout says that nothing came in time.
var errTimeout = errors.New("nothing came")

// message is what was received.
type message struct {
	icmp []byte // lent until the next receive
	from netip.Addr
	ttl  int
}
