package netstack_test

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"uswitch/nat/netstack"
	"uswitch/switch/frame"
)

var client, server = netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("203.0.113.10")

// syn is a packet that netstack answers with a RST, for nobody listens.
func syn(port uint16) []byte {
	b := make([]byte, frame.IPv4Header+frame.TCPHeader)
	t := b[frame.IPv4Header:]
	binary.BigEndian.PutUint16(t[0:], port)
	binary.BigEndian.PutUint16(t[2:], 80)
	t[12], t[13] = 5<<4, byte(frame.SYN)
	ip := frame.PutIPv4(b, frame.ProtoTCP, 64, 1, client, server)
	binary.BigEndian.PutUint16(t[16:], frame.Checksum(t, frame.PseudoHeader(frame.ProtoTCP, ip.Src(), ip.Dst(), len(t))))
	return b
}

// newStack makes a Stack that hands each port to which it sends a RST to send.
func newStack(t *testing.T, send func(port uint16)) (s *netstack.Stack, faults *atomic.Int32) {
	t.Helper()
	faults = new(atomic.Int32)
	s, err := netstack.New(netstack.Config{MTU: 1500, Transport: []stack.TransportProtocolFactory{tcp.NewProtocol},
		Contain: func(f func()) {
			defer func() {
				if recover() != nil {
					faults.Add(1)
				}
			}()
			f()
		},
		Send: func(f frame.Frame) {
			ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
			if err != nil || ip.Src() != server || ip.Dst() != client {
				t.Errorf("it sent %v > %v: %v", ip.Src(), ip.Dst(), err)
				return
			}
			if seg, ok := frame.ParseTCP(ip.Payload()); ok && seg.Flags()&frame.RST != 0 {
				send(seg.DstPort())
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	return s, faults
}

// TestAnyAddress: a packet to whatever address is answered from there, before Input returns or by the queue.
func TestAnyAddress(t *testing.T) {
	got := make(chan uint16, 10)
	s, _ := newStack(t, func(port uint16) { got <- port })
	defer s.Close()
	s.Input(buffer.MakeWithData(syn(1000)))
	if port := <-got; port != 1000 {
		t.Errorf("the RST went to port %d", port)
	}
	p := syn(1001)
	s.InputLater(p)
	clear(p) // it keeps a copy
	if port := <-got; port != 1001 {
		t.Errorf("the later RST went to port %d", port)
	}
}

// TestFaults: a fault of whoever takes a packet loses that packet; the next one comes.
func TestFaults(t *testing.T) {
	got := make(chan uint16, 10)
	s, faults := newStack(t, func(port uint16) {
		if port == 1000 {
			panic("a fault")
		}
		got <- port
	})
	defer s.Close()
	s.Input(buffer.MakeWithData(syn(1000)))
	s.InputLater(syn(1000))
	s.InputLater(syn(1001))
	if port := <-got; port != 1001 {
		t.Errorf("a RST went to port %d", port)
	}
	if n := faults.Load(); n != 2 {
		t.Errorf("%d faults were contained, want 2", n)
	}
	for end := time.Now().Add(10 * time.Second); s.Sending(); time.Sleep(time.Millisecond) { // the last one has told, and returns
		if time.Now().After(end) {
			t.Fatal("it still sends")
		}
	}
}

// TestFullQueue: more packets than the queue holds are lost, and whoever brings them does not wait.
func TestFullQueue(t *testing.T) {
	hold, got := make(chan struct{}), make(chan uint16, 2000)
	s, _ := newStack(t, func(port uint16) {
		<-hold
		got <- port
	})
	for range 1000 {
		s.InputLater(syn(1000))
	}
	close(hold)
	s.Close()
	if n := len(got); n > 257 {
		t.Errorf("%d of 1000 packets were kept", n)
	}
}
