package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Step is a step of a packet as a capture has it.
type Step struct {
	Time   time.Time
	Packet uint64 // the journey; 0 if the capture does not say
	Name   string // of the interface: RED ingress, drops
	Text   string // the sentence
	IP     bool   // Data is an IP packet, with no Ethernet header
	Length int    // of the whole packet in bytes
	Data   []byte
	Lost   uint64 // how many steps are missing in front of this one
}

// Dropped is what every step is called that ends a packet's way: all drops of a capture share one interface.
const Dropped = "drop"

// Place says where the step was and what it did there, as a trace does: RED, ingress.
func (s *Step) Place() (where, what string) {
	if i := strings.LastIndexByte(s.Name, ' '); i >= 0 {
		return s.Name[:i], s.Name[i+1:]
	}
	return s.Name, Dropped
}

// Reader reads what a Writer has written. Captures of others can be read too, as far as their blocks are those that a Writer
// writes: little-endian, time in nanoseconds where they do not say otherwise. It is for one goroutine.
type Reader struct {
	in         *bufio.Reader
	order      binary.ByteOrder
	interfaces []recorded
	lost       uint64
	counted    uint64 // of lost, what packets have told
}

// Lost returns how many steps the capture has lost, as far as it was read.
func (r *Reader) Lost() uint64 { return r.lost }

// recorded is an interface of the capture.
type recorded struct {
	name string
	link uint16
	tick time.Duration // what its stamps count
}

// Codes of pcapng besides those of packets (draft-ietf-opsawg-pcapng 4.1 and 4.2).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	byteOrderMagic = 0x1a2b3c4d

	optName       = 2 // of an interface
	optResolution = 9

	linkEthernet = 1
	maxBlock     = 16 << 20
)

// ErrFormat is why something is no capture.
var ErrFormat = errors.New("not a pcapng capture, or damaged")

// NewReader begins to read.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReader(r), order: binary.LittleEndian}
}

// Next returns the next step; io.EOF means that there are no more. A capture whose end is cut off ends with its last whole
// block.
func (r *Reader) Next() (Step, error) {
	for {
		kind, body, err := r.block()
		if err != nil {
			return Step{}, err
		}
		switch kind {
		case blockSection:
			r.interfaces = nil
		case blockInterface:
			if err := r.describe(body); err != nil {
				return Step{}, err
			}
		case blockStatistics:
			r.statistics(body)
		case blockEnhancedPacket:
			s, err := r.packet(body)
			r.lost = max(r.lost, r.counted+s.Lost)
			r.counted += s.Lost
			return s, err
		}
	}
}

// block reads one block: type, length, body, length again.
func (r *Reader) block() (kind uint32, body []byte, err error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(r.in, head); err != nil {
		return 0, nil, ended(err)
	}
	kind = r.order.Uint32(head)
	if kind == blockSection {
		magic, err := r.in.Peek(4)
		if err != nil {
			return 0, nil, ended(err)
		}
		if r.order = binary.LittleEndian; r.order.Uint32(magic) != byteOrderMagic {
			r.order = binary.BigEndian
		}
		if r.order.Uint32(magic) != byteOrderMagic {
			return 0, nil, ErrFormat
		}
	}
	length := r.order.Uint32(head[4:])
	if length < 12 || length%4 != 0 || length > maxBlock || kind != blockSection && r.interfaces == nil && kind != blockInterface {
		return 0, nil, ErrFormat
	}
	body = make([]byte, length-8)
	if _, err := io.ReadFull(r.in, body); err != nil {
		return 0, nil, ended(err)
	}
	return kind, body[:len(body)-4], nil
}

func ended(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// describe takes an interface description: link type, reserved, snap length, options.
func (r *Reader) describe(body []byte) error {
	if len(body) < 8 {
		return ErrFormat
	}
	i := recorded{link: r.order.Uint16(body), tick: time.Microsecond}
	r.options(body[8:], func(code uint16, value []byte) {
		switch {
		case code == optName:
			i.name = string(value)
		case code == optResolution && len(value) == 1 && value[0] <= 9:
			i.tick = time.Second
			for range value[0] {
				i.tick /= 10
			}
		}
	})
	r.interfaces = append(r.interfaces, i)
	return nil
}

// packet takes an enhanced packet block, which block.go draws.
func (r *Reader) packet(body []byte) (s Step, err error) {
	if len(body) < 20 {
		return s, ErrFormat
	}
	id, size := r.order.Uint32(body), r.order.Uint32(body[12:])
	if id >= uint32(len(r.interfaces)) || size > uint32(len(body)-20) {
		return s, ErrFormat
	}
	i := r.interfaces[id]
	stamp := uint64(r.order.Uint32(body[4:]))<<32 | uint64(r.order.Uint32(body[8:]))
	perSecond := uint64(time.Second / i.tick)
	s = Step{Time: time.Unix(int64(stamp/perSecond), int64(stamp%perSecond)*int64(i.tick)).UTC(), Name: i.name, IP: i.link == uint16(linkRaw),
		Length: int(r.order.Uint32(body[16:])), Data: body[20 : 20+size]}
	if i.link != linkEthernet && !s.IP {
		return s, fmt.Errorf("a capture of link type %d: want one of Ethernet frames or IP packets", i.link)
	}
	rest := body[20:]
	r.options(rest[min(len(rest), int(size+3)&^3):], func(code uint16, value []byte) {
		switch {
		case code == optComment:
			s.Text = strings.ToValidUTF8(string(value), "?")
		case code == optDropCount && len(value) == 8:
			s.Lost = r.order.Uint64(value)
		case code == optPacketID && len(value) == 8:
			s.Packet = r.order.Uint64(value)
		}
	})
	return s, nil
}

// statistics takes an interface statistics block.
func (r *Reader) statistics(body []byte) {
	r.options(body[min(len(body), 12):], func(code uint16, value []byte) {
		if code == optMissing && len(value) == 8 {
			r.lost = max(r.lost, r.order.Uint64(value))
		}
	})
}

// options walks through options: code, length, value, padding.
func (r *Reader) options(b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, length := r.order.Uint16(b), int(r.order.Uint16(b[2:]))
		if code == optEnd || length > len(b)-4 {
			return
		}
		each(code, b[4:4+length])
		b = b[min(len(b), (4+length+3)&^3):]
	}
}

// Losses reads of one block, whole and as a Writer writes it, whether it is a packet, how many steps are missing in front of
// that, and of statistics how many are missing in all.
func Losses(block []byte) (packet bool, before, sum uint64) {
	r := Reader{order: binary.LittleEndian}
	if len(block) < 12 {
		return false, 0, 0
	}
	body := block[8 : len(block)-4]
	switch r.order.Uint32(block) {
	case blockStatistics:
		r.statistics(body)
	case blockEnhancedPacket:
		packet = true
		if len(body) >= 20 {
			data := body[20:]
			r.options(data[min(len(data), (int(r.order.Uint32(body[12:]))+3)&^3):], func(code uint16, value []byte) {
				if code == optDropCount && len(value) == 8 {
					before = r.order.Uint64(value)
				}
			})
		}
	}
	return packet, before, r.lost
}
