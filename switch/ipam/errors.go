package ipam

import "errors"

// The refusals. Each returned error wraps one of them and names the address or the subnet it is about. The sentences are
// Docker's own (moby, libnetwork/ipamapi), capital letters included.
var (
	// ErrNoAddress says that every address of the pool, or of the range within it, is in use.
	ErrNoAddress = errors.New("no available addresses on this pool")
	// ErrInUse says that somebody has the address already, the gateway or an auxiliary address perhaps.
	//
	//lint:ignore ST1005 Docker's own words
	ErrInUse = errors.New("Address already in use")
	// ErrOutOfRange says that the address is not one that a station of the subnet may have.
	ErrOutOfRange = errors.New("requested address is out of range")
	// ErrOverlap says that a subnet shares addresses with one that is taken.
	ErrOverlap = errors.New("Pool overlaps with other one on this address space")
	// ErrNoSubnet says that no default pool has a free subnet left.
	ErrNoSubnet = errors.New("all predefined address pools have been fully subnetted")
	// ErrSubnet says that a prefix is not the IPv4 network it should be.
	ErrSubnet = errors.New("invalid subnet")
)
