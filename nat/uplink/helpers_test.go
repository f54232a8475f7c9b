//go:build linux

package uplink_test

import (
	"net/netip"
	"reflect"
	"testing"
	"unsafe"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// abort resets a connection, which gonet has no call for.
func abort(c *gonet.TCPConn) {
	f := reflect.ValueOf(c).Elem().FieldByName("ep")
	(*(*tcpip.Endpoint)(unsafe.Pointer(f.UnsafeAddr()))).Abort()
}

// dialReusing connects from a port that may be in use for another destination.
func (l *lab) dialReusing(t *testing.T, from netip.Addr, port int, to string) *gonet.TCPConn {
	t.Helper()
	var queue waiter.Queue
	ep, err := l.inside.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, &queue)
	if err != nil {
		t.Fatal(err)
	}
	entry, changed := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	queue.EventRegister(&entry)
	defer queue.EventUnregister(&entry)
	ep.SocketOptions().SetReuseAddress(true)
	at := netip.MustParseAddrPort(to)
	if err := ep.Bind(full(from, port)); err != nil {
		t.Fatal(err)
	}
	_ = ep.Connect(full(at.Addr(), int(at.Port()))) // it has only begun
	<-changed
	if err := ep.LastError(); err != nil {
		t.Fatal(err)
	}
	c := gonet.NewTCPConn(&queue, ep)
	t.Cleanup(func() { c.Close() })
	return c
}
