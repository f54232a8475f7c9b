//go:build linux

package uplink

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/waiter"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// stage is an transmitRelay between two ends that a test plays: netstack, and who reads the socket.
type stage struct {
	*transmitRelay
	t         *testing.T
	peer      int    // the other end of the socket
	isn       uint32 // of the SYN
	accounted []byte // the stream as netstack has it, as far as it is complete
	later     map[int][]byte
	given     int // of accounted, to Write
}

func newStage(t *testing.T, isn uint32) *stage {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	sock, err := wrap(fds[0], false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close(); _ = unix.Close(fds[1]) })
	s := &stage{transmitRelay: new(transmitRelay), t: t, peer: fds[1], isn: isn, later: map[int][]byte{}}
	s.init(sock.conn)
	s.fd = fds[0]
	s.begin(isn)
	s.allow()
	return s
}

// segment offers bytes of the stream and, as netstack would, keeps what it is given for them. It returns whether they have
// left.
func (s *stage) segment(at int, payload []byte, flags frame.TCPFlags) bool {
	b := make([]byte, frame.TCPHeader+len(payload))
	binary.BigEndian.PutUint32(b[4:], s.isn+1+uint32(at))
	b[12], b[13] = frame.TCPHeader/4<<4, byte(flags|frame.ACK)
	copy(b[frame.TCPHeader:], payload)
	left := s.trySend(frame.TCP(b))
	got := bytes.Clone(payload)
	if left {
		clear(got)
	}
	s.later[at] = got
	for grown := true; grown; {
		grown = false
		for at, b := range s.later {
			if end := at + len(b); at <= len(s.accounted) {
				if end > len(s.accounted) {
					s.accounted, grown = append(s.accounted, b[len(s.accounted)-at:]...), true
				}
				delete(s.later, at)
			}
		}
	}
	return left
}

// read hands out what netstack has, as Endpoint.Read does.
func (s *stage) read() {
	s.full = false
	for s.given < len(s.accounted) {
		n, err := s.Write(s.accounted[s.given:])
		s.given += n
		if err != nil {
			break
		}
	}
	if !s.full {
		_ = s.flushHeld()
	}
}

// arrived reads the socket's other end.
func (s *stage) arrived(most int) []byte {
	b := make([]byte, most)
	n, err := unix.Read(s.peer, b)
	if err != nil {
		return nil
	}
	return b[:n]
}

func (s *stage) expect(want string) {
	s.t.Helper()
	if got := s.arrived(1 << 16); string(got) != want {
		s.t.Errorf("the outside got %q, want %q", got, want)
	}
}

// TestAheadInTurn: what is next leaves at once, and only once, across the end of the sequence numbers too.
func TestAheadInTurn(t *testing.T) {
	s := newStage(t, 1<<32-4)
	if !s.segment(0, []byte("hel"), 0) || !s.segment(3, []byte("lo "), 0) {
		t.Error("what is next did not go ahead")
	}
	s.expect("hello ")
	s.read()
	s.expect("")
	if !s.segment(6, []byte("world"), frame.FIN) {
		t.Error("after a read it did not go on")
	}
	s.read()
	s.expect("world")
}

// TestAheadOutOfTurn: what comes too early waits in netstack, with its bytes, and what comes again does not leave again.
func TestAheadOutOfTurn(t *testing.T) {
	s := newStage(t, 99)
	if s.segment(3, []byte("def"), 0) {
		t.Error("what comes too early went ahead")
	}
	s.expect("")
	if !s.segment(0, []byte("abc"), 0) {
		t.Error("what fills the gap did not go ahead")
	}
	if !s.segment(0, []byte("abc"), 0) {
		t.Error("netstack need not have what has left already")
	}
	if s.segment(6, []byte("ghi"), 0) {
		t.Error("it went ahead of what netstack keeps")
	}
	s.expect("abc")
	s.read()
	s.expect("defghi")
	if s.segment(7, []byte("hij"), 0) {
		t.Error("a segment of which only a part has left went ahead")
	}
	s.read()
	s.expect("j")
}

// TestAheadNeedsAConnection: nothing leaves before the handshake is over.
func TestAheadNeedsAConnection(t *testing.T) {
	s := newStage(t, 7)
	s.open.Store(false)
	if s.segment(0, []byte("early"), 0) {
		t.Error("it went ahead of the handshake")
	}
	s.allow()
	if s.segment(5, []byte(" bird"), 0) {
		t.Error("it went ahead of what came before")
	}
	s.read()
	s.expect("early bird")
}

// TestAheadHeld: bytes that were read and not yet written are not to be overtaken, nor to leave twice.
func TestAheadHeld(t *testing.T) {
	s := newStage(t, 7)
	s.open.Store(false)
	s.segment(0, []byte("one"), 0)
	s.allow()
	n, err := s.Write(s.accounted) // read, and no flushHeld yet
	if s.given += n; err != nil {
		t.Fatal(err)
	}
	if s.segment(0, []byte("one"), 0) {
		t.Error("what is held went ahead as well")
	}
	if err := s.flushHeld(); err != nil {
		t.Fatal(err)
	}
	s.expect("one")
}

// TestAheadWakes: of what went ahead nobody is told until it is much; of everything else at once.
func TestAheadWakes(t *testing.T) {
	woken := func(s *stage, events waiter.EventMask) bool { return s.matters(events) }
	s := newStage(t, 7)
	s.segment(0, []byte("a"), 0)
	if woken(s, waiter.ReadableEvents) {
		t.Error("woken for a byte that has left")
	}
	if !woken(s, waiter.EventHUp) {
		t.Error("not woken for the end")
	}
	for range maxUnreadSegments {
		s.matters(waiter.ReadableEvents)
	}
	if !woken(s, waiter.ReadableEvents) {
		t.Error("not woken for many segments")
	}
	unknown := &stage{transmitRelay: new(transmitRelay), t: t}
	unknown.init(s.raw)
	if !woken(unknown, waiter.ReadableEvents) {
		t.Error("not woken although nobody knows where the stream begins")
	}
	s = newStage(t, 7)
	s.sentOffset.Store(maxUnreadBytes)
	if !woken(s, waiter.ReadableEvents) {
		t.Error("not woken for many bytes")
	}
	s = newStage(t, 7)
	s.segment(1, []byte("b"), 0)
	s.segment(0, []byte("a"), 0)
	if !woken(s, waiter.ReadableEvents) {
		t.Error("not woken for what only netstack has")
	}
	s = newStage(t, 7)
	s.segment(0, []byte("a"), frame.FIN)
	s.read()
	if !woken(s, waiter.ReadableEvents) {
		t.Error("not woken for the FIN")
	}
}

// TestAheadModel: whatever comes in whatever order, and however slow the outside is, it gets the stream, each byte once, and
// nothing that is behind the FIN. It takes 100,000 steps; make fuzz takes as many as there is time for.
func TestAheadModel(t *testing.T) {
	for seed, steps := uint64(0), 0; steps < 100_000; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { steps += aheadModel(t, seed) })
		if t.Failed() {
			return
		}
	}
}

func FuzzAheadModel(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { aheadModel(t, seed) })
}

// aheadModel runs one connection, and returns how many steps it took: segments that come, what netstack has being read, and the
// outside's reading.
func aheadModel(t *testing.T, seed uint64) (steps int) {
	r := rand.New(rand.NewPCG(seed, 0))
	s := newStage(t, r.Uint32())
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096); err != nil {
		t.Fatal(err)
	}
	if s.open.Store(r.IntN(2) == 0); !s.open.Load() && r.IntN(4) == 0 {
		s.allow()
	}
	stream := make([]byte, 1+r.IntN(60_000))
	for i := range stream {
		stream[i] = byte(1 + r.IntN(255)) // a zero is none of them
	}
	segment := func(at, most int) {
		end := min(at+1+r.IntN(most), len(stream))
		flags := frame.TCPFlags(0)
		if end == len(stream) {
			flags = frame.FIN
		}
		s.segment(at, stream[at:end], flags)
	}
	var got []byte
	for ; len(got) < len(stream); steps++ {
		switch r.IntN(6) {
		case 0: // somewhere near what netstack has: again, next or too early
			segment(min(max(len(s.accounted)+r.IntN(6000)-3000, 0), len(stream)-1), 3000)
		case 1:
			if at := len(s.accounted); at < len(stream) {
				segment(at, 12_000)
			}
		case 2:
			s.read()
		case 3:
			got = append(got, s.arrived(1+r.IntN(20_000))...)
		case 4: // the handshake ends some time
			if r.IntN(8) == 0 {
				s.allow()
			}
		case 5: // somebody slips in what is behind the FIN
			if s.last == uint64(len(stream)) && s.trySend(behind(s, len(stream), r.IntN(3))) {
				t.Fatalf("seed %d: what is behind the FIN has left", seed)
			}
		}
		if steps > 1_000_000 {
			t.Fatalf("seed %d: it does not come to its end: %d bytes of %d", seed, len(got), len(stream))
		}
	}
	if !bytes.Equal(got, stream) {
		t.Fatalf("seed %d: the outside got another stream", seed)
	}
	return steps
}

// behind is a segment of one byte that begins so far behind the end of a stream.
func behind(s *stage, end, by int) frame.TCP {
	b := make([]byte, frame.TCPHeader+1)
	binary.BigEndian.PutUint32(b[4:], s.isn+1+uint32(end+by))
	b[12], b[13] = frame.TCPHeader/4<<4, byte(frame.ACK)
	return b
}

// TestAheadJudges: what TCP must discard does not leave.
func TestAheadJudges(t *testing.T) {
	s := newStage(t, 7)
	segment := func(flags frame.TCPFlags, ack uint32) frame.TCP {
		b := append(make([]byte, frame.TCPHeader), "x"...)
		binary.BigEndian.PutUint32(b[4:], s.isn+1)
		binary.BigEndian.PutUint32(b[8:], ack)
		b[12], b[13] = frame.TCPHeader/4<<4, byte(flags)
		return b
	}
	sent := segment(frame.SYN|frame.ACK, 0)
	binary.BigEndian.PutUint32(sent[4:], 1<<32-2)
	s.noteSent(sent[:frame.TCPHeader]) // and so 1<<32-1 is next
	sent[13] = byte(frame.ACK)
	binary.BigEndian.PutUint32(sent[4:], 1<<32-1)
	s.noteSent(sent) // 0 is next
	sent[13] = byte(frame.SYN | frame.ACK)
	s.noteSent(sent[:frame.TCPHeader]) // once more
	for what, c := range map[string]struct {
		segment frame.TCP
		want    trace.Reason
	}{
		"no flags":                 {segment(0, 0), trace.TCPFlags},
		"PSH without ACK":          {segment(frame.PSH, 0), trace.TCPFlags},
		"an ACK of what is unsent": {segment(frame.ACK, 1), trace.AckUnsent},
		"of much more":             {segment(frame.ACK, 1<<31-1), trace.AckUnsent},
		"of all":                   {segment(frame.ACK, 0), trace.NoReason},
		"of less":                  {segment(frame.ACK, 1<<32-1), trace.NoReason},
	} {
		if r := s.judge(c.segment); r != c.want {
			t.Errorf("%s: %v, want %v", what, r, c.want)
		}
	}
	if s.trySend(segment(frame.RST|frame.ACK, 0)) || s.trySend(segment(frame.SYN|frame.ACK, 0)) {
		t.Error("what a RST or a SYN carries went ahead")
	}
	s.expect("")
	s.segment(0, []byte("end"), frame.FIN)
	s.segment(3, []byte("behind it"), 0)
	s.expect("end")
}

// TestAheadAllocates nothing.
func TestAheadAllocates(t *testing.T) {
	s := newStage(t, 7)
	b := make([]byte, frame.TCPHeader+1)
	b[12], b[13] = frame.TCPHeader/4<<4, byte(frame.ACK)
	at := s.isn
	if n := testing.AllocsPerRun(100, func() {
		at++
		binary.BigEndian.PutUint32(b[4:], at)
		if !s.trySend(frame.TCP(b)) {
			t.Error("it did not go ahead")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
