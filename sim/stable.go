package sim

import (
	"crypto/sha256"
	"net/netip"

	"uswitch/switch/frame"
)

// secret is what an interface keeps for itself that draws the lower halves of its addresses (RFC 7217).
type secret [16]byte

// maxDraws is how often a lower half is drawn again that somebody else has (RFC 7217 6, IDGEN_RETRIES).
const maxDraws = 3

// SetStable has the addresses that the interface makes itself from now on have a lower half that is always the same in a network and
// tells nothing of the hardware address (RFC 7217; `ip link set dev eth0 addrgenmode random`), or one that is made of it.
func (c *NIC) SetStable(stable bool) {
	if c.six == nil {
		return
	}
	c.six.stable = nil
	if stable {
		c.six.stable = new(secret)
		for i := range c.six.stable {
			c.six.stable[i] = byte(c.host.random.Uint32())
		}
	}
}

// identify returns the interface's address in a /64; draws counts those that somebody else had.
func (s *inet6) identify(network netip.Prefix, draws int) netip.Addr {
	if s.stable == nil {
		return frame.EUI64(network, s.nic.self.MAC)
	}
	b := network.Masked().Addr().As16()
	h := sha256.New()
	h.Write(b[:8])
	h.Write([]byte(s.nic.name))
	h.Write([]byte{byte(draws)})
	h.Write(s.stable[:])
	copy(b[8:], h.Sum(nil))
	return netip.AddrFrom16(b)
}
