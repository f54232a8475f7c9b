//go:build linux

package main

import (
	"encoding/binary"
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
	socket, err := cardSocket("eth0")
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

// cardSocket sends whole frames by a card.
func cardSocket(name string) (int, error) {
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
	b := make([]byte, 8+payload)
	binary.BigEndian.PutUint16(b, uint16(1024+s.random.IntN(60000)))
	binary.BigEndian.PutUint16(b[2:], 9)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b // no checksum, which IPv4 allows
}

func (s *sender) syn() []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, uint16(1024+s.random.IntN(60000)))
	binary.BigEndian.PutUint16(b[2:], uint16(1+s.random.IntN(1000)))
	binary.BigEndian.PutUint32(b[4:], s.random.Uint32())
	b[12], b[13] = 5<<4, 2 // 20 bytes, SYN
	binary.BigEndian.PutUint16(b[14:], 64240)
	source, target := s.from.As4(), s.to.As4()
	pseudo := slices.Concat(source[:], target[:], []byte{0, frame.ProtoTCP, 0, 20}, b)
	binary.BigEndian.PutUint16(b[16:], checksum(pseudo))
	return b
}

func (s *sender) echo(payload int) []byte {
	b := make([]byte, 8+payload)
	b[0] = 8
	binary.BigEndian.PutUint16(b[4:], uint16(s.random.Uint32()))
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
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
	room := (mtu - 20) &^ 7
	for offset := 0; offset < len(payload); offset += room {
		piece := payload[offset:min(offset+room, len(payload))]
		b := make([]byte, frame.EthernetHeader+20, frame.EthernetHeader+20+len(piece))
		frame.Ethernet(b).SetHeader(via, s.mac, frame.TypeIPv4)
		ip := b[frame.EthernetHeader:]
		ip[0], ip[8], ip[9] = 4<<4|5, 64, proto
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(piece)))
		binary.BigEndian.PutUint16(ip[4:], s.id)
		more := uint16(0)
		if offset+len(piece) < len(payload) {
			more = 1 << 13
		}
		binary.BigEndian.PutUint16(ip[6:], more|uint16(offset/8))
		source, target := s.from.As4(), to.As4()
		copy(ip[12:], source[:])
		copy(ip[16:], target[:])
		binary.BigEndian.PutUint16(ip[10:], checksum(ip[:20]))
		frames = append(frames, append(b, piece...))
	}
	return frames
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
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
