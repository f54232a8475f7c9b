package frame

import (
	"encoding/binary"
	"errors"
)

// EthernetHeader is the length in bytes of destination, source and EtherType.
const EthernetHeader = 14

// EtherTypes that uswitch looks at (IEEE 802 numbers); every other one is carried unread.
const (
	TypeIPv4 uint16 = 0x0800
	TypeARP  uint16 = 0x0806
	TypeVLAN uint16 = 0x8100
	TypeIPv6 uint16 = 0x86dd

	typeServiceVLAN uint16 = 0x88a8 // the outer tag of two (IEEE 802.1ad)
)

// Ethernet is a view of a frame without preamble and check sequence:
//
//	0            6            12     14
//	+------------+------------+------+---------
//	| destination|   source   | type | payload
//	+------------+------------+------+---------
//
// A VLAN tag, if any, is left where it is: its type 0x8100 is the frame's type.
type Ethernet []byte

// ParseEthernet returns the view, or false if the header is not complete.
func ParseEthernet(b []byte) (Ethernet, bool) { return Ethernet(b), len(b) >= EthernetHeader }

// Dst returns the destination address.
func (e Ethernet) Dst() MAC { return MAC(e[0:6]) }

// Src returns the source address.
func (e Ethernet) Src() MAC { return MAC(e[6:12]) }

// Type returns the EtherType, or for an 802.3 frame the length field (below 0x0600).
func (e Ethernet) Type() uint16 { return binary.BigEndian.Uint16(e[12:14]) }

// Payload returns what follows the header.
func (e Ethernet) Payload() []byte { return e[EthernetHeader:] }

// Untagged returns the EtherType behind any VLAN tags, and what follows it.
func (e Ethernet) Untagged() (etherType uint16, payload []byte) {
	at := networkHeader(e)
	return binary.BigEndian.Uint16(e[at-2:]), e[at:]
}

// SetHeader writes the three fields of the header.
func (e Ethernet) SetHeader(dst, src MAC, etherType uint16) {
	copy(e[0:6], dst[:])
	copy(e[6:12], src[:])
	binary.BigEndian.PutUint16(e[12:14], etherType)
}

// What a link can answer when it is read or written. They live here because the package that opens devices and the one
// that switches frames know nothing of each other. Anything else that a link returns is a fault of that one frame.
var (
	// ErrLinkDown: the far side has taken its interface down. The link stays: it may come up again.
	ErrLinkDown = errors.New("the link is down")
	// ErrLinkFull: the far side does not read fast enough and its queue is full. The frame is lost, the link is fine.
	ErrLinkFull = errors.New("the link's queue is full")
	// ErrLinkGone: the device or its namespace no longer exists. Every further call says the same.
	ErrLinkGone = errors.New("the link is gone")
)
