package uplink

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"uswitch/switch/trace"
)

// HostConfig describes a Host. The zero value is a usable one.
type HostConfig struct {
	// Addr is the uplink's own address and network, as the inside sees it; it must be the Addr of the gateway's
	// interface. The zero value means OutgoingAddr.
	Addr netip.Prefix
	// Gateway stands for the host itself: it is the source of published connections that come from the host's own
	// loopback. The zero value means DefaultGateway. It must not be on a network of the lab.
	Gateway netip.Addr
	// Addr6 and Gateway6 are the same in IPv6; the zero values mean OutgoingAddr6 and DefaultGateway6.
	Addr6, Gateway6 netip.Addr
	// AllowHost opens the host's own addresses and the link-local ones to the lab.
	AllowHost bool
	// Own says which addresses these are; nil means those of the host's interfaces, looked at once a second.
	Own Own
	// MTU bounds the IP packets of TCP towards the inside, and those that a super-frame of UDP stands for, in bytes; 0
	// means 1500. It is that of the lab's networks, not that of the gateway's interface to this uplink, which takes MaxMTU.
	MTU int
	// GSO makes TCP towards the inside, and datagrams that the kernel has put together, come in super-frames that the ports
	// cut (frame.Offload). Only for a gateway whose networks all carry them.
	GSO bool
	// Limits bound what the inside can make the host spend; zero fields mean the defaults.
	Limits Limits
	// Streams counts the streams that come in; nil means that nobody wants to know.
	Streams *Streams
	// Tracer counts faults, and tells of them; nil means that nobody wants to know.
	Tracer *trace.Tracer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// MaxMTU is the MTU that the gateway's interface to a Host should have: sockets take whole datagrams, so nothing has to
// be cut before it reaches them.
const MaxMTU = 65535

// DefaultGateway and DefaultGateway6 are the defaults of HostConfig.Gateway and Gateway6.
var (
	DefaultGateway  = netip.AddrFrom4([4]byte{192, 168, 104, 1})
	DefaultGateway6 = netip.MustParseAddr("fd00:c0a8:68::1")
)

// Limits bound what the inside can make the host spend. One host of the lab that reaches a limit pushes out what it has
// used least lately itself, so that a noisy one starves nobody else.
type Limits struct {
	// Sockets bounds the file descriptors of flows in all, which is less where published ports and others (Host.Others) leave
	// less; 0 means three quarters of the ports that this machine has for whoever asks for any (ip_local_port_range): each flow
	// has one, and the machine's own programs need some too.
	Sockets int
	// Dials bounds the TCP connections of one inside host that nobody has answered yet; 0 means 256. Past it the dial
	// that has waited longest is given up, silently.
	Dials int
	// DialRate bounds how many TCP connections a second one inside host may begin that do not come about; 0 means 500. As
	// many may begin at once. The SYNs past it are dropped before anything is done for them; TCP repeats them by itself.
	DialRate int
	// Flows bounds the UDP and ICMP sockets of one inside host; 0 means 512. Past it the one that was used least lately is
	// closed; a packet that still wants it opens it again, at the same port.
	Flows int
	// Conns bounds the TCP connections of one inside host; 0 means three quarters of Sockets. A host is whoever the frames'
	// Source says, however many addresses it has.
	Conns int
}

// ReservedFiles is how many file descriptors are kept for whoever controls the lab: the control socket, its answers, captures.
// Neither flows nor published ports nor network interfaces get them.
const ReservedFiles = 128

// Own says which destinations are the host's own: what is sent there would never leave it. Its method may be called from
// many goroutines, and must not wait for the network.
type Own interface {
	// Owns reports whether a is the host's, as things are now. The error says that the host does not tell.
	Owns(a netip.Addr) (bool, error)
}

// FallbackAddr is the uplink's address on a host that has no way out at the moment.
var FallbackAddr = netip.MustParsePrefix("192.168.104.2/24")

// FallbackAddr6 is the uplink's address of IPv6 on a host that has no way out in IPv6 at the moment.
var FallbackAddr6 = netip.MustParseAddr("fd00:c0a8:68::2")

// VTEPConfig describes the sockets.
type VTEPConfig struct {
	Local  netip.AddrPort // an IPv4 address of this machine, and the port where packets arrive
	TTL    uint8          // of what leaves
	Tracer *trace.Tracer
	Now    func() time.Time
}

// ErrTaken is what OpenVTEP's error wraps if somebody else has the port.
var ErrTaken = errors.New("is taken")

// PeerState is what the network between the machines has said of one of them.
type PeerState struct {
	Addr   netip.Addr
	Errors uint64    // ICMP errors about packets to it
	Last   string    // the last one, in words
	From   string    // who sent that
	When   time.Time // and when
}

// Datagrams are what one system call has read from another machine: one behind the other, each of Size bytes but the last.
type Datagrams struct {
	Data     []byte
	Size     int
	From     netip.AddrPort
	TTL, TOS uint8
}

// Streams counts the streams that come in and carry much, from one look to the next: those that have carried some meanwhile,
// however often. One that waits for a slow reader is none. Methods may be called concurrently.
type Streams struct {
	looks  atomic.Uint32
	active atomic.Int32 // since the last look
	begun  chan struct{}
}

// NewStreams returns an empty count.
func NewStreams() *Streams { return &Streams{begun: make(chan struct{}, 1)} }

// Begun gives a sign when there are streams to be looked at, or have been a moment ago.
func (s *Streams) Begun() <-chan struct{} { return s.begun }

// Look returns how many there were since the last look.
func (s *Streams) Look() int {
	s.looks.Add(1)
	return int(s.active.Swap(0))
}

// Carried counts a stream that has just carried much. at is the stream's own, and says after which look it was counted last;
// it begins with 0.
func (s *Streams) Carried(at *uint32) {
	now := s.looks.Load() + 1
	if *at == now {
		return
	}
	*at = now
	if s.active.Add(1) == 1 {
		select {
		case s.begun <- struct{}{}:
		default:
		}
	}
}
