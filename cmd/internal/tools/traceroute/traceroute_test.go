package traceroute_test

import (
	"bytes"
	"context"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/traceroute"
	"uswitch/switch/frame"
)

var (
	source = netip.MustParseAddr("192.168.104.2")
	target = netip.MustParseAddr("8.8.8.8")
	router = netip.MustParseAddr("100.64.0.1")
)

// way is a network in memory. What leaves with a time to live of n comes to hops[n-1], or to the last of them; each hop turns
// a packet into what it answers, nothing if nil.
type way struct {
	hops     []func(packet []byte) []byte
	answers  chan []byte
	inFlight int
	most     int // probes that were on their way together
}

func (w *way) Send(packet []byte) (time.Time, error) {
	hop := w.hops[min(int(frame.IPv4(packet).TTL()), len(w.hops))-1]
	if hop != nil {
		w.inFlight++
		w.most = max(w.most, w.inFlight)
		w.answers <- hop(bytes.Clone(packet))
	}
	return time.Now(), nil
}

func (w *way) Receive(wait time.Duration) ([]byte, time.Time, error) {
	time.Sleep(2 * time.Millisecond)
	select {
	case b := <-w.answers:
		w.inFlight--
		return b, time.Now(), nil
	case <-time.After(wait):
		return nil, time.Time{}, api.ErrTimeout
	}
}

func (*way) Now() time.Time { return time.Now() }

// packet makes an IP packet to the source of the probes.
func packet(from netip.Addr, proto uint8, payload []byte) []byte {
	b := append(make([]byte, frame.IPv4Header), payload...)
	frame.PutIPv4(b, proto, 60, 1, from, source)
	return b
}

// says answers with an ICMP error.
func says(from netip.Addr, icmpType, code uint8) func([]byte) []byte {
	return func(probe []byte) []byte {
		m := append([]byte{icmpType, code, 0, 0, 0, 0, 0, 0}, probe[:28]...)
		frame.ICMP(m).SetChecksum()
		return packet(from, frame.ProtoICMP, m)
	}
}

// echoes answers an echo, and datagrams by a closed port.
func echoes(probe []byte) []byte {
	if frame.IPv4(probe).Proto() == frame.ProtoUDP {
		return says(target, frame.ICMPUnreachable, frame.UnreachablePort)(probe)
	}
	m := frame.ICMP(probe[frame.IPv4Header:])
	m[0] = frame.ICMPEchoReply
	m.SetChecksum()
	return packet(target, frame.ProtoICMP, m)
}

// listens answers a datagram by another one.
func listens(probe []byte) []byte {
	u := frame.UDP(probe[frame.IPv4Header:])
	src, dst := u.SrcPort(), u.DstPort()
	return packet(target, frame.ProtoUDP, []byte{byte(dst >> 8), byte(dst), byte(src >> 8), byte(src), 0, 8, 0, 0})
}

// noise is somebody else's.
func noise([]byte) []byte {
	return packet(router, frame.ProtoICMP, []byte{11, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3})
}

func trace(t *testing.T, line string, w *way) string {
	t.Helper()
	set := pflag.NewFlagSet("traceroute", pflag.ContinueOnError)
	options := traceroute.Flags(set)
	err := set.Parse(strings.Fields(line))
	if err != nil {
		t.Fatal(err)
	}
	o, err := options()
	if err != nil {
		t.Fatal(err)
	}
	w.answers = make(chan []byte, 1024)
	var out bytes.Buffer
	names := func(a netip.Addr) string { return map[netip.Addr]string{router: "edge"}[a] }
	to := traceroute.Target{Name: "dns", Addr: target, Source: source, Number: 4711}
	if err := traceroute.Run(context.Background(), o, to, w, names, &out); err != nil {
		t.Fatal(err)
	}
	if w.most > 16 {
		t.Errorf("%d probes at once", w.most)
	}
	return regexp.MustCompile(`[0-9.]+ ms`).ReplaceAllString(out.String(), "T ms")
}

func TestTraceroute(t *testing.T) {
	expired := says(router, frame.ICMPTimeExceeded, 0)
	const head = "traceroute to dns (8.8.8.8), 30 hops max, 60 byte packets\n"
	for _, c := range []struct {
		name, line string
		hops       []func([]byte) []byte
		want       string
	}{
		{"datagrams", "", []func([]byte) []byte{expired, echoes}, " 1  edge (100.64.0.1)  T ms  T ms  T ms\n 2  8.8.8.8 (8.8.8.8)  T ms  T ms  T ms\n"},
		{"echoes", "-I -n -q 1", []func([]byte) []byte{expired, echoes}, " 1  100.64.0.1  T ms\n 2  8.8.8.8  T ms\n"},
		{"a port that is open", "-n -q 2", []func([]byte) []byte{listens}, " 1  8.8.8.8  T ms  T ms\n"},
		{"silence", "-n -q 2 -w 1", []func([]byte) []byte{nil, echoes}, " 1  * *\n 2  8.8.8.8  T ms  T ms\n"},
		{"no host there", "-n -q 1", []func([]byte) []byte{expired, says(router, frame.ICMPUnreachable, frame.UnreachableHost)}, " 1  100.64.0.1  T ms\n 2  100.64.0.1  T ms !H\n"},
		{"prohibited", "-n -q 1", []func([]byte) []byte{says(router, frame.ICMPUnreachable, 13)}, " 1  100.64.0.1  T ms !X\n"},
		{"from the second hop", "-n -q 1 -f 2", []func([]byte) []byte{expired, echoes}, " 2  8.8.8.8  T ms\n"},
		{"what is somebody else's", "-n -q 1 -w 1", []func([]byte) []byte{noise, echoes}, " 1  *\n 2  8.8.8.8  T ms\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := trace(t, c.line, &way{hops: c.hops}); got != head+c.want {
					t.Errorf("got\n%swant\n%s", got, head+c.want)
				}
			})
		})
	}
}

// TestNoEnd: nobody ever answers, and it ends all the same.
func TestNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		got := trace(t, "-n -m 30", &way{hops: []func([]byte) []byte{nil}})
		if !strings.HasSuffix(got, "30  * * *\n") || strings.Count(got, "\n") != 31 {
			t.Error(got)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestOptions(t *testing.T) {
	for line, want := range map[string]string{
		"-m 0": "want 1 to 255", "-f 31": "want 1 to 30", "-q 11": "want 1 to 10", "-w 0": "want 0.01 to 3600", "-p 65000": "want 1 to",
	} {
		set := pflag.NewFlagSet("traceroute", pflag.ContinueOnError)
		options := traceroute.Flags(set)
		if err := set.Parse(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		if _, err := options(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// FuzzAnswer: whatever comes in, it is no answer or one to a probe.
func FuzzAnswer(f *testing.F) {
	f.Add(noise(nil), true)
	f.Add(packet(target, frame.ProtoUDP, make([]byte, 8)), false)
	f.Fuzz(func(t *testing.T, b []byte, icmp bool) {
		synctest.Test(t, func(t *testing.T) {
			line := "-m 1 -q 1 -w 1"
			if icmp {
				line += " -I"
			}
			if got := trace(t, line, &way{hops: []func([]byte) []byte{func([]byte) []byte { return b }}}); strings.Count(got, "\n") != 2 {
				t.Error(got)
			}
		})
	})
}
