//go:build linux

package uplink

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"uswitch/switch/frame"
)

// ackFrame is a TCP packet as netstack sends it, with an option of that many bytes.
func ackFrame(ack uint32, flags frame.TCPFlags, window uint16, options int, payload string) frame.Frame {
	header := frame.TCPHeader + options
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+header+len(payload))
	ip := frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoTCP, 64, 0, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"))
	t := ip.Payload()
	binary.BigEndian.PutUint32(t[8:], ack)
	t[12], t[13] = byte(header/4<<4), byte(flags)
	binary.BigEndian.PutUint16(t[14:], window)
	copy(t[header:], payload)
	return frame.Frame{Data: b}
}

// TestDelayedACK: only what acknowledges something new and little, and says nothing else, waits.
func TestDelayedACK(t *testing.T) {
	const isn = 1<<32 - 100 // the numbers go round
	for _, c := range []struct {
		name  string
		f     frame.Frame
		waits bool
	}{
		{"one byte", ackFrame(isn+1, frame.ACK, 500, 12, ""), true},
		{"without timestamps", ackFrame(isn+1, frame.ACK, 500, 0, ""), true},
		{"less than two segments", ackFrame((isn+ackBytes-1)&(1<<32-1), frame.ACK, 500, 12, ""), true},
		{"two segments", ackFrame((isn+ackBytes)&(1<<32-1), frame.ACK, 500, 12, ""), false},
		{"the same number again", ackFrame(isn, frame.ACK, 500, 12, ""), false},
		{"an older number", ackFrame(isn-1, frame.ACK, 500, 12, ""), false},
		{"a closed window", ackFrame(isn+1, frame.ACK, 0, 12, ""), false},
		{"data", ackFrame(isn+1, frame.ACK, 500, 12, "x"), false},
		{"the end", ackFrame(isn+1, frame.ACK|frame.FIN, 500, 12, ""), false},
		{"blocks that have come out of order", ackFrame(isn+1, frame.ACK, 500, 24, ""), false},
	} {
		a := delayedACK{host: new(Host)}
		if a.keeps(ackFrame(isn, frame.SYN|frame.ACK, 500, 20, "")) {
			t.Error("the handshake waits")
		}
		if got := a.keeps(c.f); got != c.waits {
			t.Errorf("%s: waits: %v, want %v", c.name, got, c.waits)
		}
		a.stop()
	}
	var a delayedACK
	if a.keeps(ackFrame(7, frame.ACK, 500, 12, "")) {
		t.Error("the first one waits, that ends a handshake which netstack began")
	}
}

// TestDelayedACKGoes: with data it need not be sent, without it is sent when its time has come, the newest one only.
func TestDelayedACKGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []uint32
		h := new(Host)
		h.now = time.Now
		h.Attach(func(f frame.Frame, _ time.Time) {
			got = append(got, frame.TCP(frame.IPv4(f.Data[frame.EthernetHeader:]).Payload()).Ack())
		})
		a := delayedACK{host: h}
		a.keeps(ackFrame(1, frame.SYN|frame.ACK, 500, 20, ""))
		a.keeps(ackFrame(2, frame.ACK, 500, 12, ""))
		a.keeps(ackFrame(2, frame.ACK|frame.PSH, 500, 12, "answer"))
		time.Sleep(2 * ackDelay)
		if len(got) != 0 {
			t.Errorf("%v was sent although data has taken it along", got)
		}
		a.keeps(ackFrame(3, frame.ACK, 500, 12, ""))
		a.keeps(ackFrame(4, frame.ACK, 500, 12, ""))
		time.Sleep(2 * ackDelay)
		if len(got) != 1 || got[0] != 4 {
			t.Errorf("%v was sent, want 4", got)
		}
		if a.keeps(ackFrame(4, frame.ACK, 900, 12, "")) {
			t.Error("a window that opens waits")
		}
		a.keeps(ackFrame(5, frame.ACK, 900, 12, ""))
		a.stop()
		time.Sleep(2 * ackDelay)
		if len(got) != 1 {
			t.Error("something was sent after the end")
		}
	})
}
