package ipam

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Config describes a pool. Only Subnet is required.
type Config struct {
	Subnet  netip.Prefix // IPv4, host bits zero
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
	first, last uint32     // the usable addresses, both included: neither the network nor the broadcast address
	low, high   uint32     // the part of them that Allocate searches; low > high when the range holds none
	used        map[uint32]bool
	spare       uint32 // Spare's number; 0: there is none
	hint        uint32 // no address in [low, hint) is free, so that filling a pool does not cost the square of its size
}

// New opens the book: the gateway and the auxiliary addresses are in use from the start.
//
// A subnet of /30 or larger loses its first address (the network) and its last (the broadcast). A /31 has neither
// (RFC 3021) and holds the gateway and one host; a /32 holds the gateway and nobody else.
func New(c Config) (*Pool, error) {
	if err := checkSubnet(c.Subnet); err != nil {
		return nil, err
	}
	p := &Pool{subnet: c.Subnet, used: make(map[uint32]bool)}
	p.first, p.last = bounds(c.Subnet)
	p.low, p.high = p.first, p.last
	if c.Range.IsValid() {
		if err := p.narrow(c.Range); err != nil {
			return nil, err
		}
	}
	p.hint = p.low
	if c.Spare.Is4() {
		p.spare = number(c.Spare)
	}
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
	if !r.Addr().Is4() || r != r.Masked() {
		return fmt.Errorf("range %v: %w: want an IPv4 network without host bits, as in %v", r, ErrSubnet, p.subnet)
	}
	if r.Bits() < p.subnet.Bits() || !p.subnet.Contains(r.Addr()) {
		return fmt.Errorf("range %v: %w: it is not inside %v", r, ErrSubnet, p.subnet)
	}
	low := number(r.Addr())
	high := low | ^mask(r.Bits())
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
	for n := uint64(p.first); n <= uint64(p.last); n++ {
		if !p.used[uint32(n)] {
			p.gateway = address(uint32(n))
			p.used[uint32(n)] = true
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
	for n := uint64(p.hint); n <= uint64(p.high); n++ {
		if !p.used[uint32(n)] && uint32(n) != p.spare {
			p.used[uint32(n)] = true
			p.hint = uint32(n)
			return address(uint32(n)), nil
		}
	}
	p.hint = max(p.hint, p.high)
	if p.spare >= p.low && p.spare <= p.high && p.spare != 0 && !p.used[p.spare] {
		p.used[p.spare] = true
		return address(p.spare), nil
	}
	return netip.Addr{}, fmt.Errorf("%v: %w", p.subnet, ErrNoAddress)
}

// Reserve takes the given address, which may lie outside the range but not outside the subnet.
func (p *Pool) Reserve(a netip.Addr) error {
	if !p.subnet.Contains(a) {
		return fmt.Errorf("%v: %w: it is outside %v", a, ErrOutOfRange, p.subnet)
	}
	switch n := number(a); {
	case n < p.first:
		return fmt.Errorf("%v: %w: it names the network %v itself", a, ErrOutOfRange, p.subnet)
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
	if !p.subnet.Contains(a) || a == p.gateway || !p.used[number(a)] {
		return false
	}
	n := number(a)
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

// bounds returns the lowest and the highest address that a station of the subnet may have.
func bounds(subnet netip.Prefix) (first, last uint32) {
	first = number(subnet.Addr())
	last = first | ^mask(subnet.Bits())
	if subnet.Bits() < 31 {
		first, last = first+1, last-1
	}
	return first, last
}

func checkSubnet(s netip.Prefix) error {
	switch {
	case !s.IsValid() || !s.Addr().Is4():
		return fmt.Errorf("%v: %w: want an IPv4 network, as in 172.20.0.0/16", s, ErrSubnet)
	case s != s.Masked():
		return fmt.Errorf("%v: %w: bits are set behind the prefix; the network is %v", s, ErrSubnet, s.Masked())
	case s.Bits() < 8:
		return fmt.Errorf("%v: %w: more than 16 million addresses; want /8 to /32", s, ErrSubnet)
	}
	return nil
}

func mask(bits int) uint32 { return uint32(^uint64(0) << (32 - bits)) }

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}
