package tap

import (
	"net/netip"

	"uswitch/switch/frame"
)

// Device is the near end of the cable of a network card in a namespace.
type Device interface {
	// Read waits for the next frame that the namespace sends. The bytes belong to the device and stay until the next
	// Read; one goroutine reads. While the card is down, Read waits. An error wraps ErrGone and is final.
	Read() (frame.Frame, error)

	// Write hands a frame to the namespace as if it came over the wire, whole or not at all. The frame is borrowed; any
	// number of goroutines may write. Write does not wait. It answers ErrDown, ErrFull, ErrGone or ErrOffload (wrapped,
	// with the card's name), or what the kernel said of a frame that it does not take, such as one shorter than an
	// Ethernet header.
	Write(f frame.Frame) error

	// TakesOffload says whether Write takes super-frames of a kind, and Read returns them; with frame.GSONone, frames that
	// lack only a checksum. A card that was opened with Interface.Offload takes all, but for datagrams (frame.GSOUDPL4)
	// before Linux 6.2.
	TakesOffload(frame.GSO) bool

	// Close takes the card away. A Read that waits returns, and so does everything later, with ErrGone. Closing twice is
	// no error.
	Close() error

	// SetGateway points the default route of the card's namespace at a neighbour on this card's network, in place of
	// whichever card it led through before. An invalid address takes the default route through this card away; that there
	// is none is no error.
	SetGateway(netip.Addr) error

	// State asks the kernel what the card is like now. It finds the card under another name and in another namespace
	// too.
	State() (State, error)

	// Watch calls changed, from one goroutine, each time the State has become another one, until stop is called or the
	// card is gone. Changes that follow each other closely may come as one.
	Watch(changed func(State)) (stop func(), err error)
}

// State is what the namespace made of a network card: people inside can rename it, take it down, or change its address.
type State struct {
	// Name and Index are those inside the namespace: eth0, 7 (the number in eth0@if7).
	Name  string
	Index int
	MAC   frame.MAC
	// MTU in bytes, without the Ethernet header.
	MTU int
	// Up says whether the card is administratively up.
	Up bool
	// Namespace is the inode number of the namespace that the card is in, as in net:[4026532281].
	Namespace uint64
}
