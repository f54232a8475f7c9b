//go:build linux

package main

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
	"uswitch/switch/frame"
)

// flooding is one host that sends as fast as it can:
//
//	load flood KIND MAC ADDR TO VIA    frames of that kind from ADDR to TO, through the neighbour VIA, until it is killed
//
// The frames are made beforehand and differ in their ports, ids or addresses. Go's network poller has no part in it.
func flooding(args []string) error {
	if len(args) != 5 {
		return errors.New("want KIND MAC ADDR TO VIA")
	}
	make, ok := floodKinds[args[0]]
	if !ok {
		return fmt.Errorf("no such flood: %s; there are %v", args[0], slices.Sorted(maps.Keys(floodKinds)))
	}
	mac, err1 := frame.ParseMAC(args[1])
	from, err2 := netip.ParseAddr(args[2])
	to, err3 := netip.ParseAddr(args[3])
	via, err4 := frame.ParseMAC(args[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	socket, err := nicSocket("eth0")
	if err != nil {
		return err
	}
	s := sender{mac: mac, via: via, from: from, to: to, random: rand.New(rand.NewPCG(1, 2))}
	frames := [1024][][]byte{}
	for i := range frames {
		frames[i] = make(&s)
	}
	for ready := true; ; {
		for _, pieces := range frames {
			for _, b := range pieces {
				if _, err := unix.Write(socket, b); err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
					return err
				}
			}
		}
		if ready {
			fmt.Println("{}") // the first round is out
			ready = false
		}
	}
}

// nicSocket sends whole frames by an interface.
func nicSocket(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: int(request.Uint32())})
	}
	return fd, err
}

// sender makes the frames of one flood.
type sender struct {
	mac, via frame.MAC
	from, to netip.Addr
	random   *rand.Rand
	id       uint16
}

// floodKinds are what one host may send. Each makes the frames of one packet.
var floodKinds = map[string]func(*sender) [][]byte{
	"udp-64":    func(s *sender) [][]byte { return s.packet(s.via, s.to, frame.ProtoUDP, s.udp(18), 1500) },
	"udp-1400":  func(s *sender) [][]byte { return s.packet(s.via, s.to, frame.ProtoUDP, s.udp(1400), 1500) },
	"syn":       func(s *sender) [][]byte { return s.packet(s.via, s.to, frame.ProtoTCP, s.syn(), 1500) },
	"broadcast": func(s *sender) [][]byte { return s.packet(frame.Broadcast, s.to, frame.ProtoUDP, s.udp(18), 1500) },
	"arp":       func(s *sender) [][]byte { return [][]byte{s.arp()} },
	"icmp-8000": func(s *sender) [][]byte { return s.packet(s.via, s.to, frame.ProtoICMP, s.echo(8000), 1500) },
	"fragments": func(s *sender) [][]byte { return s.packet(s.via, s.to, frame.ProtoUDP, s.udp(2000), 1500)[:1] },
}

func (s *sender) udp(payload int) []byte {
	return frame.PutUDP(make([]byte, frame.UDPHeader+payload), uint16(1024+s.random.IntN(60000)), 9) // no checksum, which IPv4 allows
}

func (s *sender) syn() []byte {
	t := frame.PutTCP(make([]byte, frame.TCPHeader), frame.TCPFields{SrcPort: uint16(1024 + s.random.IntN(60000)), DstPort: uint16(1 + s.random.IntN(1000)),
		Seq: s.random.Uint32(), Flags: frame.SYN, Window: 64240})
	t.SetChecksum(s.from, s.to)
	return t
}

func (s *sender) echo(payload int) []byte {
	return frame.PutEcho(make([]byte, frame.ICMPHeader+payload), frame.ICMPEcho, uint16(s.random.Uint32()), 0)
}

// arp asks for one address of the network after the other.
func (s *sender) arp() []byte {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(frame.Broadcast, s.mac, frame.TypeARP)
	wanted := s.from.As4()
	wanted[3] = byte(100 + s.random.IntN(100))
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPRequest, s.mac, s.from, frame.MAC{}, netip.AddrFrom4(wanted))
	return b
}

// packet puts a payload into the frames of one IP packet, cut to the MTU.
func (s *sender) packet(via frame.MAC, to netip.Addr, proto uint8, payload []byte, mtu int) (frames [][]byte) {
	s.id++
	ip := frame.PutIPv4(append(make([]byte, frame.IPv4Header), payload...), proto, 64, s.id, s.from, to)
	room := ip.FragmentRoom(mtu)
	for offset := 0; offset < len(payload); {
		b := make([]byte, frame.EthernetHeader)
		frame.Ethernet(b).SetHeader(via, s.mac, frame.TypeIPv4)
		b, offset = ip.AppendFragment(b, offset, room)
		frames = append(frames, b)
	}
	return frames
}

// underFlood runs use while a host floods.
func (p *pair) underFlood(f flood, use func() error) error {
	via := macB
	if f.outside {
		via = p.gatewayMAC
	}
	cmd := p.command(p.third, p.self, "load", "flood", f.kind, macC.String(), addrC.Addr().String(), f.to.String(), via.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if _, err := out.Read(make([]byte, 3)); err != nil {
		return fmt.Errorf("flood %s: %w", f.kind, err)
	}
	select {
	case <-time.After(200 * time.Millisecond): // what is full is full
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
	return use()
}
