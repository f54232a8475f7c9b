//go:build linux

package uplink_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// withOptions is a segment behind an IP header with that many bytes of options, all of them "no operation".
func withOptions(src, dst string, options int, segment []byte) frame.Frame {
	plain := packet(frame.ProtoTCP, src, dst, segment)
	header := frame.EthernetHeader + frame.IPv4Header
	b := append(append([]byte(nil), plain.Data[:header]...), make([]byte, options)...)
	for i := range options {
		b[header+i] = 1
	}
	b = append(b, plain.Data[header:]...)
	ip := frame.IPv4(b[frame.EthernetHeader:])
	ip[0] = 0x40 | byte((frame.IPv4Header+options)/4)
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	ip.SetChecksum()
	return frame.Frame{Data: b}
}

// FuzzSYN sends the SYNs of one connection, repeated and changed: of each, how many words of IP options it has, its sequence
// number, and its flags. None of them may fail. Nobody listens where they go, on this machine.
func FuzzSYN(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 1, 2})                     // the same with 12 bytes of options
	f.Add([]byte{3, 1, 2, 0, 1, 2})                     // without them
	f.Add([]byte{10, 1, 2, 0, 2, 2, 10, 2, 2, 0, 1, 2}) // another one
	f.Add([]byte{0, 1, 2, 5, 1, 2, 0, 1, 0x10, 3, 1, 2, 1, 7, 4, 2, 8, 2})
	f.Fuzz(func(t *testing.T, syns []byte) {
		var tracer trace.Tracer
		var failed error
		tracer.OnFault(func(err error) { failed = errors.Join(failed, err) })
		h, err := uplink.NewHost(uplink.HostConfig{Tracer: &tracer, AllowHost: true})
		if err != nil {
			t.Fatal(err)
		}
		h.Attach(func(frame.Frame, time.Time) {}, func(nat.Failure, time.Time) {})
		red := frame.Tuple{Proto: frame.ProtoTCP, SrcIP: frame.AddrOf(red), SrcPort: 40000, DstIP: frame.AddrOf(netip.AddrFrom4([4]byte{127, 0, 0, 1})), DstPort: 79}
		own, r := h.Bind(nat.Binding{Tuple: red}, time.Now())
		if r != trace.NoReason {
			t.Fatal(r)
		}
		for ; len(syns) >= 3; syns = syns[3:] {
			segment := syn(own.Port(), 79)
			segment[7], segment[13] = syns[1], syns[2]
			if r := h.Output(withOptions(own.Addr().String(), "127.0.0.1", int(syns[0]%11)*4, segment), time.Now()); r != trace.NoReason {
				t.Errorf("the reason is %v", r)
			}
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if failed != nil || tracer.Drops(trace.UplinkFault) != 0 {
			t.Error(failed)
		}
	})
}
