package ipam

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Config describes a pool. Only Subnet is required.
type Config struct {
	Subnet  netip.Prefix // host bits zero; of IPv6 a /64 or smaller
	Range   netip.Prefix // where Allocate looks; zero: the whole subnet (Docker's --ip-range)
	Gateway netip.Addr   // zero: the lowest usable address of the subnet that is not auxiliary
	// NoGateway says that nobody needs a gateway: unless Gateway names one, its address is free like any other. Docker has
	// that for internal networks whose gateway mode is isolated.
	NoGateway bool
	// Spare is handed out last of all, so that it stays free for whoever is to get it one day. Reserve takes it like any other.
	Spare netip.Addr
	Aux   []netip.Addr // addresses that others hold and nobody here may get (Docker's --aux-address)
}

// Pool is the book of one subnet: who may have which address. It is not safe for concurrent use; its owner serialises.
type Pool struct {
	subnet      netip.Prefix
	gateway     netip.Addr // zero: there is none
	first, last uint64     // the usable addresses by their number in the subnet, both included: neither the network nor the broadcast address
	low, high   uint64     // the part of them that Allocate searches; low > high when the range holds none
	used        map[uint64]bool
	spare       netip.Addr // handed out last; zero: there is none
	hint        uint64     // no address in [low, hint) is free, so that filling a pool does not cost the square of its size
}

// New opens the book: the gateway and the auxiliary addresses are in use from the start.
//
// A subnet of /30 or larger loses its first address (the network) and its last (the broadcast). A /31 has neither
// (RFC 3021) and holds the gateway and one host; a /32 holds the gateway and nobody else.
func New(c Config) (*Pool, error) {
	if err := checkSubnet(c.Subnet); err != nil {
		return nil, err
	}
	p := &Pool{subnet: c.Subnet, used: make(map[uint64]bool), spare: c.Spare}
	p.first, p.last = bounds(c.Subnet)
	p.low, p.high = p.first, p.last
	if c.Range.IsValid() {
		if err := p.narrow(c.Range); err != nil {
			return nil, err
		}
	}
	p.hint = p.low
	for _, a := range c.Aux {
		if err := p.Reserve(a); err != nil {
			return nil, fmt.Errorf("auxiliary address %w", err)
		}
	}
	if c.NoGateway && !c.Gateway.IsValid() {
		return p, nil
	}
	return p, p.placeGateway(c.Gateway)
}

// narrow confines Allocate to a range within the subnet.
func (p *Pool) narrow(r netip.Prefix) error {
	if r.Addr().Is4() != p.subnet.Addr().Is4() || r != r.Masked() {
		return fmt.Errorf("range %v: %w: want a network of the same family without host bits, as in %v", r, ErrSubnet, p.subnet)
	}
	if r.Bits() < p.subnet.Bits() || !p.subnet.Contains(r.Addr()) {
		return fmt.Errorf("range %v: %w: it is not inside %v", r, ErrSubnet, p.subnet)
	}
	low := p.number(r.Addr())
	high := low + size(r) - 1
	// Only the subnet has a network and a broadcast address; a range within it may use both its ends.
	p.low, p.high = max(low, p.first), min(high, p.last)
	return nil
}

func (p *Pool) placeGateway(a netip.Addr) error {
	if a.IsValid() {
		if err := p.Reserve(a); err != nil {
			return fmt.Errorf("gateway %w", err)
		}
		p.gateway = a
		return nil
	}
	// At most len(used) addresses are skipped: those that are auxiliary.
	for n := p.first; n <= p.last; n++ {
		if !p.used[n] {
			p.gateway = p.address(n)
			p.used[n] = true
			return nil
		}
	}
	return fmt.Errorf("gateway of %v: %w", p.subnet, ErrNoAddress)
}

// Subnet returns the subnet that the pool is the book of.
func (p *Pool) Subnet() netip.Prefix { return p.subnet }

// Gateway returns the gateway's address, which cannot be released; it is zero where nobody needs one.
func (p *Pool) Gateway() netip.Addr { return p.gateway }

// Allocate hands out the lowest free address of the range, or of the subnet where there is no range.
func (p *Pool) Allocate() (netip.Addr, error) {
	for n := p.hint; n <= p.high; n++ {
		if a := p.address(n); !p.used[n] && a != p.spare {
			p.used[n] = true
			p.hint = n
			return a, nil
		}
	}
	p.hint = max(p.hint, p.high)
	if p.subnet.Contains(p.spare) {
		if n := p.number(p.spare); p.low <= n && n <= p.high && !p.used[n] {
			p.used[n] = true
			return p.spare, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%v: %w", p.subnet, ErrNoAddress)
}

// Reserve takes the given address, which may lie outside the range but not outside the subnet.
func (p *Pool) Reserve(a netip.Addr) error {
	if !p.subnet.Contains(a) {
		return fmt.Errorf("%v: %w: it is outside %v", a, ErrOutOfRange, p.subnet)
	}
	switch n := p.number(a); {
	case n < p.first:
		return fmt.Errorf("%v: %w: it names the network %v itself", a, ErrOutOfRange, p.subnet)
	case n > p.last && a.Is6():
		return fmt.Errorf("%v: %w: want one of the lower half of %v", a, ErrOutOfRange, p.subnet)
	case n > p.last:
		return fmt.Errorf("%v: %w: it is the broadcast address of %v", a, ErrOutOfRange, p.subnet)
	case p.used[n]:
		return fmt.Errorf("%v: %w", a, ErrInUse)
	default:
		p.used[n] = true
		return nil
	}
}

// Release takes an address back; the next Allocate may hand it out at once. Releasing the gateway, or an address that
// nobody has, changes nothing, and the answer is false.
func (p *Pool) Release(a netip.Addr) bool {
	if !p.subnet.Contains(a) || a == p.gateway || !p.used[p.number(a)] {
		return false
	}
	n := p.number(a)
	delete(p.used, n)
	if n >= p.low && n < p.hint {
		p.hint = n
	}
	return true
}

// InUse counts the addresses that somebody has, the gateway and the auxiliary ones included.
func (p *Pool) InUse() int { return len(p.used) }

// Free counts the addresses that Allocate could still hand out.
func (p *Pool) Free() int {
	if p.low > p.high {
		return 0
	}
	free := int(p.high-p.low) + 1
	for n := range p.used {
		if p.low <= n && n <= p.high {
			free--
		}
	}
	return free
}

// bounds returns the numbers of the lowest and the highest address that a station of the subnet may have.
func bounds(subnet netip.Prefix) (first, last uint64) {
	last = size(subnet) - 1
	switch {
	case last > 1 && subnet.Addr().Is6():
		first++ // the routers' (RFC 4291 2.6.1); there is no broadcast
	case last > 1:
		first, last = first+1, last-1
	}
	return first, last
}

func checkSubnet(s netip.Prefix) error {
	switch {
	case !s.IsValid() || s.Addr().Is4In6():
		return fmt.Errorf("%v: %w: want a network, as in 172.20.0.0/16", s, ErrSubnet)
	case s != s.Masked():
		return fmt.Errorf("%v: %w: bits are set behind the prefix; the network is %v", s, ErrSubnet, s.Masked())
	case s.Addr().Is6() && s.Bits() < 64:
		return fmt.Errorf("%v: %w: want /64 to /128", s, ErrSubnet)
	case s.Bits() < 8:
		return fmt.Errorf("%v: %w: more than 16 million addresses; want /8 to /32", s, ErrSubnet)
	}
	return nil
}

// number returns where in the pool's subnet an address of it stands, from 0.
func (p *Pool) number(a netip.Addr) uint64 { return low64(a) - low64(p.subnet.Addr()) }

// address is the inverse of number.
func (p *Pool) address(n uint64) netip.Addr { return after(p.subnet.Addr(), n) }

// size returns how many addresses a prefix has; of 64 host bits half of them are enough.
func size(p netip.Prefix) uint64 { return 1 << min(p.Addr().BitLen()-p.Bits(), 63) }

// low64 returns the low 64 bits of an address; within a subnet of that size the others do not differ.
func low64(a netip.Addr) uint64 {
	b := a.As16()
	return binary.BigEndian.Uint64(b[8:])
}

// after returns the address that comes n after a, in a's subnet.
func after(a netip.Addr, n uint64) netip.Addr {
	b := a.As16()
	binary.BigEndian.PutUint64(b[8:], low64(a)+n)
	if a.Is4() {
		return netip.AddrFrom16(b).Unmap()
	}
	return netip.AddrFrom16(b)
}

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
	// ErrSubnet says that a prefix is not the network it should be.
	ErrSubnet = errors.New("invalid subnet")
)
