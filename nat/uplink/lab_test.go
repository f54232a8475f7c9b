//go:build linux

package uplink_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var (
	red  = netip.MustParseAddr("11.11.11.2")
	blue = netip.MustParseAddr("11.11.11.3")
	red6 = netip.MustParseAddr("fd00:11::2")

	server, other, far           = "203.0.113.10", "203.0.113.11", "203.0.113.20"
	unreachable, blackhole, host = "203.0.113.98", "203.0.113.99", "198.18.0.2"
	hostsOwn                     = "198.51.100.1"
)

// lab is a network with one machine that has RED's and BLUE's addresses, a gateway, and a Host.
type lab struct {
	gateway *nat.Gateway
	tracer  trace.Tracer
	up      *uplink.Host
	inside  *stack.Stack
	dev     atomic.Pointer[stack.NetworkDispatcher]
	leg     *nat.Interface
	out     *nat.Interface
	now     func() time.Time
	wire    chan []byte
	super   atomic.Int64 // super-frames that reached the inside
	invalid atomic.Int64 // of which with impossible metadata
	several chan int     // of how many datagrams super-frames stood that reached the inside
	told    chan told    // the ICMP messages that reach the inside
	byHand  atomic.Pointer[hand]
}

// told is an ICMP message as the inside gets it.
type told struct {
	from, to       string
	icmpType, code uint8
	id             uint16 // of an echo; of an error, of the echo that it quotes, or the quoted source port
	ttl            uint8
	payload        string // of an echo
}

// labs is how many there are. Each counts the goroutines of the whole process, so there is one at a time, and in one test.
var labs atomic.Int32

// newLab starts it. It ends with the test, and then nothing may be left of it.
func newLab(t *testing.T, c uplink.HostConfig, rules ...string) *lab {
	t.Helper()
	outside(t)
	t.Cleanup(func() { labs.Add(-1) })
	if labs.Add(1) != 1 {
		t.Fatal("a lab beside another: its goroutines would be counted as this one's")
	}
	sockets, goroutines := openSockets(), runtime.NumGoroutine()
	l := &lab{now: time.Now, told: make(chan told, 1000), wire: make(chan []byte, 4096), several: make(chan int, 1000)}
	tables, tables6 := rule.NewTables(rule.IPv4), rule.NewTables(rule.IPv6)
	if err := tables6.Apply([]string{"-t nat -A POSTROUTING -s fd00:11::/64 ! -o br0 -j MASQUERADE", "-t nat -A PREROUTING -p tcp -m tcp --dport 8080 ! -i br0 -j DNAT --to-destination [fd00:11::2]:80", "-t nat -A PREROUTING -p udp -m udp --dport 8080 ! -i br0 -j DNAT --to-destination [fd00:11::2]:80"}); err != nil {
		t.Fatal(err)
	}
	if err := tables.Apply(append([]string{"-t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE"}, rules...)); err != nil {
		t.Fatal(err)
	}
	l.gateway = nat.New(nat.Config{Tracer: &l.tracer, Epoch: time.Now(), Rules: tables, Rules6: tables6, Random: rand.New(rand.NewPCG(1, 1))})
	up, err := uplink.NewHost(c)
	if err != nil {
		t.Fatal(err)
	}
	l.up = up
	l.leg, err = l.gateway.Add(nat.InterfaceConfig{Name: "br0", Addr: netip.MustParsePrefix("11.11.11.1/24"),
		MAC: frame.MAC{2, 0x42, 11, 11, 11, 1}, V6: []netip.Prefix{netip.MustParsePrefix("fd00:11::1/64")}, Segment: segment{l}}, l.now())
	if err != nil {
		t.Fatal(err)
	}
	l.out, err = l.gateway.Add(nat.InterfaceConfig{Name: "uplink", Addr: up.Addr(), V6: []netip.Prefix{up.Addr6()}, Uplink: up, MTU: uplink.MaxMTU}, l.now())
	if err != nil {
		t.Fatal(err)
	}
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		if err := l.gateway.AddRoute(netip.MustParsePrefix(all), netip.Addr{}, l.out); err != nil {
			t.Fatal(err)
		}
	}
	up.Attach(func(f frame.Frame, now time.Time) { l.gateway.InputUplink(l.out, f, now) }, l.gateway.Undelivered)
	l.startInside(t)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.gateway.Run(ctx) })
	running.Go(func() { l.carry(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		l.inside.Destroy()
		if err := up.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t, sockets, goroutines)
	})
	return l
}

// segment is the network as the gateway sees it.
type segment struct{ *lab }

func (s segment) Output(f frame.Frame, _ *trace.Journey, _ time.Time) {
	if f.Offload.GSO != frame.GSONone {
		s.super.Add(1)
		if !f.Offload.Valid(len(f.Data)) || f.Offload.ChecksumStart != 34 || f.Offload.HeaderLen != f.Offload.SegmentHeader(f.Data) {
			s.invalid.Add(1)
		}
	}
	if f.Offload.GSO == frame.GSOUDPL4 {
		s.cut(f)
		return
	}
	f.FinishChecksum()
	if h := s.byHand.Load(); h != nil && h.take(f) {
		return
	}
	s.listen(f)
	select {
	case s.wire <- f.Clone().Data:
	default: // as full as a TAP's queue can get
	}
}

// cut puts each of the datagrams onto the wire for which a super-frame stands, as the port of a plain interface does.
func (s segment) cut(f frame.Frame) {
	segments, ok := frame.Segment(f, make([]byte, f.Offload.WireLength(len(f.Data))))
	if !ok {
		s.invalid.Add(1)
		return
	}
	var all [][]byte
	for one, more := segments.Next(); more; one, more = segments.Next() {
		all = append(all, one.Clone().Data)
	}
	s.several <- len(all) // first: who has read the last one may look
	for _, one := range all {
		s.wire <- one
	}
}

// carry is the wire to the inside.
func (l *lab) carry(ctx context.Context) {
	for {
		select {
		case b := <-l.wire:
			pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
			if d := l.dev.Load(); d != nil {
				(*d).DeliverNetworkPacket(0, pkt)
			}
			pkt.DecRef()
		case <-ctx.Done():
			return
		}
	}
}

// listen notes an ICMP message; what is wrong with one shows as a message of type 255.
func (l *lab) listen(f frame.Frame) {
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	if err != nil || !ip.IsICMP() || ip.IsLinkSignal() {
		return
	}
	m, ok := ip.ICMP()
	say := told{from: ip.Src().String(), to: ip.Dst().String(), icmpType: 255, ttl: ip.TTL()}
	if ok && ip.ICMPChecksumOK() && (!ip.Is4() || frame.IPv4(ip).ChecksumOK()) {
		say.icmpType, say.code, say.id, say.payload = m.Type(), m.Code(), m.ID(), string(m.Payload())
		if ip.IsICMPError() {
			quote := frame.IP(m.Payload())
			say.id, say.payload = binary.BigEndian.Uint16(quote.Payload()), quote.Src().String()+">"+quote.Dst().String()
			if quote.IsICMP() {
				say.id = frame.ICMP(quote.Payload()).ID()
			}
		}
	}
	select {
	case l.told <- say:
	default:
	}
}

// hears sends something and waits for the ICMP message that answers. Kernels write few of those a second, so that
// sometimes it has to be sent again.
func (l *lab) hears(t *testing.T, send func()) told {
	t.Helper()
	for len(l.told) > 0 {
		<-l.told
	}
	for range 20 {
		send()
		select {
		case m := <-l.told:
			return m
		case <-time.After(time.Second):
		}
	}
	t.Fatal("no ICMP message reached the inside")
	return told{}
}

// send puts an IP packet of the inside onto the network; its payload's checksum must be complete.
func (l *lab) send(proto, ttl uint8, from, to string, payload []byte) {
	src := netip.MustParseAddr(from)
	header := frame.EthernetHeader + frame.FixedHeader(src)
	b := make([]byte, header+len(payload))
	copy(b[header:], payload)
	ip := frame.PutIP(b[frame.EthernetHeader:], proto, ttl, 1, src, netip.MustParseAddr(to))
	frame.Ethernet(b).SetHeader(frame.MAC{2, 0x42, 11, 11, 11, 1}, frame.MAC{2, 0x42, 11, 11, 11, 2}, ip.EtherType())
	l.leg.Input(frame.Frame{Data: b}, nil, l.now())
}

// ping sends an echo request.
func (l *lab) ping(from, to string, id, seq uint16, ttl uint8, payload string) {
	m := make(frame.ICMP, frame.ICMPHeader, frame.ICMPHeader+len(payload))
	m[0] = frame.ICMPEcho
	binary.BigEndian.PutUint16(m[4:], id)
	binary.BigEndian.PutUint16(m[6:], seq)
	m = append(m, payload...)
	m.SetChecksum()
	l.send(frame.ProtoICMP, ttl, from, to, m)
}

// probe sends a UDP datagram without a checksum.
func (l *lab) probe(from string, port uint16, to string, toPort uint16, ttl uint8) {
	u := make([]byte, frame.UDPHeader+12)
	binary.BigEndian.PutUint16(u[0:], port)
	binary.BigEndian.PutUint16(u[2:], toPort)
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	l.send(frame.ProtoUDP, ttl, from, to, u)
}

// nic is the inside machine's end of the network.
type nic struct{ *lab }

func (c nic) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	for _, pkt := range pkts.AsSlice() {
		v := pkt.ToView()
		c.leg.Input(frame.Frame{Data: append([]byte(nil), v.AsSlice()...)}, nil, c.now())
		v.Release()
	}
	return pkts.Len(), nil
}

func (c nic) IsAttached() bool                           { return c.dev.Load() != nil }
func (nic) MTU() uint32                                  { return 1514 }
func (nic) SetMTU(uint32)                                {}
func (nic) MaxHeaderLength() uint16                      { return 0 }
func (nic) LinkAddress() tcpip.LinkAddress               { return "\x02\x42\x0b\x0b\x0b\x02" }
func (nic) SetLinkAddress(tcpip.LinkAddress)             {}
func (nic) Capabilities() stack.LinkEndpointCapabilities { return 0 }
func (nic) Wait()                                        {}
func (nic) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareEther }
func (nic) AddHeader(*stack.PacketBuffer)                {}
func (nic) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (nic) Close()                                       {}
func (nic) SetOnCloseAction(func())                      {}

func (c nic) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		c.dev.Store(nil)
		return
	}
	c.dev.Store(&d)
}

func (l *lab) startInside(t *testing.T) {
	l.inside = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	})
	if err := l.inside.CreateNIC(1, ethernet.New(nic{l})); err != nil {
		t.Fatal(err)
	}
	for _, a := range []netip.Addr{red, blue} {
		at := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: tcpip.AddrFrom4(a.As4()), PrefixLen: 24}}
		if err := l.inside.AddProtocolAddress(1, at, stack.AddressProperties{}); err != nil {
			t.Fatal(err)
		}
	}
	at := tcpip.ProtocolAddress{Protocol: ipv6.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{
		Address: tcpip.AddrFrom16(red6.As16()), PrefixLen: 64}}
	if err := l.inside.AddProtocolAddress(1, at, stack.AddressProperties{}); err != nil {
		t.Fatal(err)
	}
	l.inside.SetRouteTable([]tcpip.Route{
		{Destination: subnet("fd00:11::/64"), NIC: 1},
		{Destination: header.IPv6EmptySubnet, Gateway: tcpip.AddrFrom16(netip.MustParseAddr("fd00:11::1").As16()), NIC: 1},
		{Destination: subnet("11.11.11.0/24"), NIC: 1},
		{Destination: header.IPv4EmptySubnet, Gateway: tcpip.AddrFrom4([4]byte{11, 11, 11, 1}), NIC: 1}})
}

func subnet(s string) tcpip.Subnet {
	p := netip.MustParsePrefix(s)
	return tcpip.AddressWithPrefix{Address: tcpip.AddrFromSlice(p.Addr().AsSlice()), PrefixLen: p.Bits()}.Subnet()
}

func full(a netip.Addr, port int) tcpip.FullAddress {
	return tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFromSlice(a.AsSlice()), Port: uint16(port)}
}

// in runs f in another namespace; sockets that it opens stay there. The thread is never used for anything else.
func in(t *testing.T, pid int, f func() error) {
	t.Helper()
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		result <- err
	}()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// serve listens in the outside and serves each client with f.
func serve(t *testing.T, pid int, at string, f func(*net.TCPConn)) {
	t.Helper()
	var l net.Listener
	in(t, pid, func() (err error) {
		l, err = net.Listen("tcp", at)
		return err
	})
	var clients sync.Map
	t.Cleanup(func() {
		l.Close()
		clients.Range(func(c, _ any) bool { return c.(*net.TCPConn).Close() != nil || true })
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			clients.Store(c, nil)
			go f(c.(*net.TCPConn))
		}
	}()
}

// datagrams opens a UDP socket in the outside.
func datagrams(t *testing.T, pid int, at string) *net.UDPConn {
	t.Helper()
	var c net.PacketConn
	in(t, pid, func() (err error) {
		c, err = net.ListenPacket("udp", at)
		return err
	})
	t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// openSockets counts the sockets of this process.
func openSockets() (n int) {
	files, _ := filepath.Glob("/proc/self/fd/*") // the pattern is well-formed
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// patience is how long something may take that will happen.
const patience = 20 * time.Second

// eventually waits for something that will happen.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// nothingLeft compares with what there was before: goroutines that just end may take a moment.
func nothingLeft(t *testing.T, sockets, goroutines int) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		s, g := openSockets(), runtime.NumGoroutine()
		if s <= sockets && g <= goroutines {
			return
		}
		if time.Now().After(end) {
			b := make([]byte, 1<<20)
			t.Errorf("left over: %d sockets, %d goroutines\n%s", s-sockets, g-goroutines, b[:runtime.Stack(b, true)])
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
