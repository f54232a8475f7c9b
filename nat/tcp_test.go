package nat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

const (
	redPort   = "11.11.11.2:1818"
	server    = "8.8.8.8:80"
	redAsSeen = "192.0.2.2:1818"
)

// say sends one segment of RED's connection to the server. who is "red" or "srv"; the rest are flags.
func (l *lab) say(who string, s seg) {
	if who == "red" {
		l.red.send(tcp(redPort, server, s))
	} else {
		l.wan.send(tcp(server, redAsSeen, s))
	}
}

func TestTCPStates(t *testing.T) {
	for name, walk := range map[string]string{
		"handshake":                 "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, srv A ESTABLISHED",
		"SYN again":                 "red S SYN_SENT, red S SYN_SENT, srv SA SYN_RECV, srv SA SYN_RECV, red A ESTABLISHED",
		"refused":                   "red S SYN_SENT, srv RA CLOSE",
		"closed by RED":             "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, red FA FIN_WAIT, srv A CLOSE_WAIT, srv FA LAST_ACK, red A TIME_WAIT",
		"closed by the server":      "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, srv FA FIN_WAIT, red A CLOSE_WAIT, red FA LAST_ACK, srv A TIME_WAIT",
		"closed by both":            "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, red FA FIN_WAIT, srv FA LAST_ACK, red A TIME_WAIT",
		"FIN and ACK in one":        "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, red FA FIN_WAIT, srv FA LAST_ACK, red A TIME_WAIT, red A TIME_WAIT",
		"FIN again":                 "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, red FA FIN_WAIT, red FA FIN_WAIT, srv A CLOSE_WAIT, srv PA CLOSE_WAIT, red A CLOSE_WAIT, red FA CLOSE_WAIT, srv A CLOSE_WAIT, srv FA LAST_ACK, red A TIME_WAIT",
		"SYN on an old connection":  "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, red S ESTABLISHED, srv A ESTABLISHED",
		"both at once":              "red S SYN_SENT, srv S SYN_SENT, red SA SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED",
		"reset by RED":              "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, red R CLOSE",
		"reset by the server":       "red S SYN_SENT, srv SA SYN_RECV, red A ESTABLISHED, srv RA CLOSE",
		"again after it was closed": "red S SYN_SENT, srv RA CLOSE, red S SYN_SENT, srv SA SYN_RECV",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, masquerade)
			for i, step := range strings.Split(walk, ", ") {
				f := strings.Fields(step)
				l.say(f[0], seg{flags: f[1], seq: 1000, ack: 1000, window: 100})
				if c := l.conn(); c.State != f[2] {
					t.Fatalf("step %d, %s: state %s", i+1, step, c.State)
				}
			}
			if out, back := len(l.wan.packets()), len(l.br0.packets()); out+back != len(strings.Split(walk, ", ")) {
				t.Errorf("%d packets went out and %d came back of %s", out, back, walk)
			}
		})
	}
}

func TestHalfClosedTransferIsNotOver(t *testing.T) {
	// RED has closed its side, twice because the first FIN was not acknowledged in time; the server goes on sending for long.
	l := newLab(t, masquerade)
	l.handshake()
	for range 2 {
		l.say("red", seg{flags: "FA", seq: 101, ack: 501, window: 1000})
	}
	l.say("srv", seg{flags: "A", seq: 501, ack: 102, window: 1000})
	l.say("srv", seg{flags: "A", seq: 501, ack: 102, window: 1000, data: "more"})
	l.say("red", seg{flags: "A", seq: 102, ack: 505, window: 1000})
	if c := l.conn(); c.State != "CLOSE_WAIT" || c.Timeout != 4*time.Minute {
		t.Errorf("%s for %v, want CLOSE_WAIT for 4m", c.State, c.Timeout)
	}
}

// windowScale is the option of RFC 7323.
func windowScale(shift byte) []byte { return []byte{1, 3, 3, shift} }

func TestF37Resets(t *testing.T) {
	// RED has acknowledged up to 501 and takes 1000 more (times 4 where scaled).
	for name, c := range map[string]struct {
		seq           uint32
		red, srv      []byte // options of the SYNs
		state         string
		passes        bool
		serverHasSent string
	}{
		"exactly next":           {501, nil, nil, "CLOSE", true, ""},
		"one before":             {500, nil, nil, "ESTABLISHED", false, ""},
		"far off":                {1 << 31, nil, nil, "ESTABLISHED", false, ""},
		"behind the window":      {1502, nil, nil, "ESTABLISHED", false, ""},
		"in the window":          {900, nil, nil, "ESTABLISHED", true, ""}, // draws a challenge ACK, RFC 5961 3.2
		"behind data in flight":  {505, nil, nil, "CLOSE", true, "data"},
		"scaled":                 {3000, windowScale(2), windowScale(0), "ESTABLISHED", true, ""},
		"behind the scaled":      {4502, windowScale(2), windowScale(0), "ESTABLISHED", false, ""},
		"scale of one side only": {3000, windowScale(2), nil, "ESTABLISHED", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, masquerade)
			l.say("red", seg{flags: "S", seq: 100, window: 1000, options: c.red})
			l.say("srv", seg{flags: "SA", seq: 500, ack: 101, window: 1000, options: c.srv})
			l.say("red", seg{flags: "A", seq: 101, ack: 501, window: 1000})
			if c.serverHasSent != "" {
				l.say("srv", seg{flags: "PA", seq: 501, ack: 101, window: 1000, data: c.serverHasSent})
			}
			l.br0.raw()
			for range 100 {
				l.say("srv", seg{flags: "R", seq: c.seq})
			}
			if got := l.conn().State; got != c.state {
				t.Errorf("state is %s, want %s", got, c.state)
			}
			if n := len(l.br0.packets()); (n == 100) != c.passes || n != 0 && n != 100 {
				t.Errorf("%d of 100 reached the host", n)
			}
		})
	}
}

func TestF37OddFlagsCreateNothing(t *testing.T) {
	for _, flags := range []string{"", "A", "F", "FA", "R", "RA", "SF", "SR", "SA", "FPU", "SFRPAUEC", "P", "U", "SAF"} {
		l := newLab(t, masquerade)
		l.red.send(tcp(redPort, server, seg{flags: flags}))
		if n := len(l.Conns(l.now)); n != 0 {
			t.Errorf("flags %q begin a connection", flags)
		}
	}
	for _, flags := range []string{"S", "SEC"} {
		l := newLab(t, masquerade)
		l.red.send(tcp(redPort, server, seg{flags: flags}))
		l.conn()
	}
}

func TestF37OddFlagsDoNotEnd(t *testing.T) {
	l := newLab(t, masquerade)
	l.handshake()
	for _, flags := range []string{"", "S", "SA", "SF", "P", "U", "FPU"} {
		if flags == "SF" || flags == "FPU" {
			continue // a FIN is a FIN: the receiver decides what it is worth
		}
		l.say("srv", seg{flags: flags, seq: 77, ack: 5})
	}
	if c := l.conn(); c.State != "ESTABLISHED" {
		t.Errorf("state is %s", c.State)
	}
}

func TestTCPOptionsAreReadCarefully(t *testing.T) {
	for _, options := range [][]byte{{3, 0, 0, 0}, {3, 1, 0, 0}, {3, 255, 0, 0}, {1, 1, 1, 3}, {255, 255, 255, 255}, {3, 3, 255, 0}, {0, 3, 3, 2}} {
		l := newLab(t, masquerade)
		l.red.send(tcp(redPort, server, seg{flags: "S", options: options}))
		l.want(l.wan, "tcp 192.0.2.2:1818 > 8.8.8.8:80 ttl 63 S")
	}
	// A header that is longer than the packet.
	l := newLab(t, masquerade)
	b := tcp(redPort, server, seg{flags: "S"})
	b[32] = 0xf0
	l.red.send(sealed(frame.IPv4(b), 16))
	l.drops(trace.BadL4, 1)
}

func TestTCPClosedIsForgottenSoon(t *testing.T) {
	l := newLab(t, masquerade)
	l.say("red", seg{flags: "S"})
	l.say("srv", seg{flags: "RA", ack: 1})
	if c := l.conn(); c.Timeout != 10*time.Second {
		t.Errorf("a reset connection stays for %v", c.Timeout)
	}
	l.advance(12 * time.Second)
	if n := len(l.Conns(l.now)); n != 0 {
		t.Errorf("%d connections left", n)
	}
	if next := l.Deadline(); !next.IsZero() && next.Before(l.now.Add(3*time.Second)) {
		t.Errorf("an empty table still wants to be swept at %v", fmt.Sprint(next.Sub(l.now)))
	}
}
