package uplink

import (
	"errors"
	"net/netip"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// errNone is why there is no Host and no VTEP in a page: a browser gives no sockets.
var errNone = errors.New("a page in a browser has no sockets of a machine: the way out there is `uplink: sim`")

// Host is the way out through the host's own sockets. There is none in a page.
type Host struct{}

// Listener is a published port. There is none in a page.
type Listener struct{}

// VTEP is the sockets of a tunnel. There is none in a page.
type VTEP struct{}

// What would open one says so, and what asks this machine has no answer.
func NewHost(HostConfig) (*Host, error)     { return nil, errNone }
func OpenVTEP(VTEPConfig) (*VTEP, error)    { return nil, errNone }
func CheckPing() error                      { return errNone }
func OutgoingAddr() (netip.Prefix, bool)    { return FallbackAddr, false }
func OutgoingAddr6() netip.Addr             { return FallbackAddr6 }
func ChecksumErrors() (n uint64, told bool) { return 0, false }
func FileLimit() int                        { return 0 }
func FreeFiles() int                        { return 0 }
func DefaultSockets() int                   { return 0 }

func (*Host) Addr() netip.Prefix                                                { return FallbackAddr }
func (*Host) Addr6() netip.Prefix                                               { return netip.PrefixFrom(FallbackAddr6, 128) }
func (*Host) Shared() bool                                                      { return false }
func (*Host) Attach(func(frame.Frame, time.Time), func(nat.Failure, time.Time)) {}
func (*Host) IsMachine(netip.Addr) bool                                         { return false }
func (*Host) Output(frame.Frame, time.Time) trace.Reason                        { return trace.NoRoute }
func (*Host) Refuses(netip.Addr) trace.Reason                                   { return trace.NoRoute }
func (*Host) Overflowed() uint64                                                { return 0 }
func (*Host) Others(int)                                                        {}
func (*Host) Listen(proto uint8, at netip.AddrPort, v6 bool) (*Listener, error) { return nil, errNone }
func (*Host) Close() error                                                      { return nil }
func (*Listener) Addr() netip.AddrPort                                          { return netip.AddrPort{} }
func (*Listener) Close() error                                                  { return nil }
func (*VTEP) Source(uint32) netip.AddrPort                                      { return netip.AddrPort{} }
func (*VTEP) Send([]byte, int, uint32, netip.AddrPort, uint8) (trace.Reason, int) {
	return trace.NoRoute, 0
}
func (*VTEP) Peers() []PeerState            { return nil }
func (*VTEP) Serve(func(Datagrams), func()) {}
func (*VTEP) Overflowed() uint64            { return 0 }
func (*VTEP) Close() error                  { return nil }
