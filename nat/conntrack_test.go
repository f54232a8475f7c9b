package nat_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/trace"
)

func TestRepliedAndAssured(t *testing.T) {
	l := newLab(t, masquerade)
	step := func(what string, replied, assured bool) {
		t.Helper()
		if c := l.conn(); c.Replied != replied || c.Assured != assured {
			t.Errorf("%s: replied %v assured %v, want %v and %v", what, c.Replied, c.Assured, replied, assured)
		}
	}
	l.red.send(udp(redPort, "8.8.8.8:53", "12"))
	step("a question", false, false)
	l.red.send(udp(redPort, "8.8.8.8:53", "12"))
	step("asked again", false, false)
	l.wan.send(udp("8.8.8.8:53", redAsSeen, "1"))
	step("an answer", true, false)
	l.red.send(udp(redPort, "8.8.8.8:53", "12"))
	step("a conversation", true, true)
	if c := l.conn(); c.Packets != [2]uint64{3, 1} || c.Bytes != [2]uint64{90, 29} {
		t.Errorf("%v packets, %v bytes, want [3 1] and [90 29]", c.Packets, c.Bytes)
	}

	l = newLab(t, masquerade)
	for range 2 {
		l.red.send(echo("11.11.11.2", "8.8.8.8", 7, ""))
		l.wan.send(echoReply("8.8.8.8", "192.0.2.2", 7, ""))
	}
	step("an echo, as often as it may be", true, false)

	l = newLab(t, masquerade)
	l.say("red", seg{flags: "S"})
	l.say("srv", seg{flags: "SA", ack: 1})
	step("SYN-ACK", true, false)
	l.say("red", seg{flags: "A", seq: 1, ack: 1})
	step("established", true, true)
}

func TestFeedOfChanges(t *testing.T) {
	l := newLab(t, masquerade)
	feed := l.Follow()
	l.handshake()
	l.advance(time.Second)
	l.DropConns(func(c nat.Conn) bool { return true }, l.now)
	names := map[nat.ConnChange]string{nat.ConnNew: "new", nat.ConnUpdated: "update", nat.ConnEnded: "destroy"}
	var got []string
	for len(feed.C) > 0 {
		e := <-feed.C
		got = append(got, fmt.Sprintf("%v %s %s %s", e.Time.Sub(epoch), names[e.Change], e.Conn.Original.Source(), e.Conn.State))
	}
	want := []string{"2s new 11.11.11.2:1818 SYN_SENT", "2s update 11.11.11.2:1818 SYN_RECV",
		"2s update 11.11.11.2:1818 ESTABLISHED", "3s destroy 11.11.11.2:1818 ESTABLISHED"}
	if !slices.Equal(got, want) {
		t.Errorf("events:\n  %s\nwant:\n  %s", joined(got), joined(want))
	}
	if lost := l.Unfollow(feed); lost != 0 {
		t.Errorf("%d events lost", lost)
	}
	if _, open := <-feed.C; open {
		t.Error("the feed is still open")
	}
}

func TestFeedIsBounded(t *testing.T) {
	l := newLab(t, masquerade)
	feed := l.Follow()
	for i := range 2000 {
		l.red.send(udp(fmt.Sprintf("11.11.11.2:%d", 2000+i), "8.8.8.8:53", ""))
	}
	n := len(feed.C)
	if lost := l.Unfollow(feed); n+int(lost) != 2000 || lost == 0 {
		t.Errorf("%d events and %d lost, want 2000 together", n, lost)
	}
}

func TestDropConns(t *testing.T) {
	l := newLab(t, masquerade)
	l.red.send(udp("11.11.11.2:1", "8.8.8.8:53", ""), udp("11.11.11.2:2", "8.8.8.8:53", ""))
	l.pink.send(udp("11.11.11.3:1", "8.8.8.8:53", ""))
	n := l.DropConns(func(c nat.Conn) bool {
		l.Conns(l.now) // what it is asked under must not be locked
		return c.Original.Source() == "11.11.11.2:1"
	}, l.now)
	if left := l.Conns(l.now); n != 1 || len(left) != 2 || left[0].Original.Source() != "11.11.11.2:2" {
		t.Errorf("%d dropped, left: %+v", n, left)
	}
	l.wan.send(udp("8.8.8.8:53", "192.0.2.2:1", ""))
	l.want(l.br0)
}

func TestTimeoutsCanBeSet(t *testing.T) {
	l := newLab(t, masquerade)
	timeouts := nat.DefaultTimeouts()
	timeouts.UDP, timeouts.Other = 7*time.Second, 8*time.Second
	l.SetTimeouts(timeouts)
	l.red.send(udp(redPort, "8.8.8.8:53", ""), packetOf(47, ip4("11.11.11.2"), ip4("8.8.8.8"), nil))
	for i, want := range []time.Duration{7 * time.Second, 8 * time.Second} {
		if got := l.Conns(l.now)[i].Timeout; got != want {
			t.Errorf("connection %d stays for %v, want %v", i+1, got, want)
		}
	}
}

func TestConnsAreListedById(t *testing.T) {
	l := newLab(t, masquerade)
	for i := range 50 {
		l.red.send(udp(fmt.Sprintf("11.11.11.2:%d", 100+i), "8.8.8.8:53", ""))
	}
	for i, c := range l.Conns(l.now) {
		if c.ID != uint64(i+1) {
			t.Fatalf("row %d has id %d", i, c.ID)
		}
	}
}

// answered lets a host talk to BLUE from n ports: it asks, BLUE answers what reaches it, and it asks again.
func (l *lab) answered(h host, n, firstPort int) {
	l.Helper()
	for i := range n {
		l.br1.raw()
		src := fmt.Sprintf("%v:%d", h.addr, firstPort+i)
		h.send(udp(src, "22.22.22.2:53", ""))
		for range l.br1.raw() {
			l.blue.send(udp("22.22.22.2:53", src, ""))
			h.send(udp(src, "22.22.22.2:53", ""))
		}
	}
}

// of counts a host's connections.
func (l *lab) of(h host) (n int) {
	for _, c := range l.Conns(l.now) {
		if c.Original.Src() == h.addr {
			n++
		}
	}
	return n
}

func TestFullTableRefusesTheHeaviest(t *testing.T) {
	l := newLabWith(t, nat.Config{MaxConns: 16})
	l.answered(l.red, 20, 1000)
	if n := l.of(l.red); n != 16 {
		t.Fatalf("RED has %d connections, want all 16", n)
	}
	l.drops(trace.SourceLimit, 4)
	l.br0.raw()
	l.pink.send(udp("11.11.11.3:1", "22.22.22.2:53", ""))
	if red, pink := l.of(l.red), l.of(l.pink); red != 15 || pink != 1 {
		t.Errorf("RED has %d and PINK %d, want 15 and 1: PINK's first takes the place of RED's newest", red, pink)
	}
	for _, c := range l.Conns(l.now) {
		if c.Original.SrcPort == 1015 {
			t.Error("RED's newest is still there; it should have made room")
		}
	}
	l.answered(l.pink, 20, 1000)
	if red, pink := l.of(l.red), l.of(l.pink); red != 8 || pink != 8 {
		t.Errorf("RED has %d and PINK %d, want 8 each: nobody takes more than half from the other", red, pink)
	}
	// The refused is told.
	l.now = l.now.Add(time.Minute)
	l.br0.raw()
	l.red.send(udp("11.11.11.2:1", "22.22.22.2:53", "q"))
	l.want(l.br0, `icmp 3/13 11.11.11.1 > 11.11.11.2 ttl 64 about udp 11.11.11.2:1 > 22.22.22.2:53 ttl 63 "q"`)
}

func TestClosedOnesMakeRoomFirst(t *testing.T) {
	l := newLabWith(t, nat.Config{MaxConns: 8})
	l.answered(l.red, 4, 1000)
	for i := range 4 {
		src := fmt.Sprintf("11.11.11.2:%d", 2000+i)
		l.red.send(tcp(src, "22.22.22.2:80", seg{flags: "S"}))
		l.blue.send(tcp("22.22.22.2:80", src, seg{flags: "RA", ack: 1}))
	}
	l.answered(l.red, 4, 3000)
	l.drops(trace.SourceLimit, 0)
	for _, c := range l.Conns(l.now) {
		if c.State != "" {
			t.Errorf("%s is still there, %s", c.Original.Source(), c.State)
		}
	}
}

func TestHalfOpenFloodPushesOutItsOwn(t *testing.T) {
	l := newLabWith(t, nat.Config{MaxConns: 64})
	l.answered(l.red, 10, 1000)
	l.pink.send(tcp("11.11.11.3:7", "22.22.22.2:80", seg{flags: "S"})) // half open, and older than the flood
	for i := range 10000 {
		l.red.send(tcp(fmt.Sprintf("11.11.11.2:%d", 2000+i), "22.22.22.2:80", seg{flags: "S"}))
	}
	if n := len(l.Conns(l.now)); n > 64 {
		t.Errorf("%d connections", n)
	}
	established := 0
	for _, c := range l.Conns(l.now) {
		if c.Replied {
			established++
		}
	}
	if established != 10 {
		t.Errorf("%d of 10 answered connections survived", established)
	}
	if l.of(l.pink) != 1 {
		t.Error("PINK's half-open connection was pushed out by RED's flood")
	}
	// Whoever is answered gets in, the flooder too.
	l.answered(l.pink, 3, 3000)
	l.answered(l.red, 3, 20000)
	answered := map[string]int{}
	for _, c := range l.Conns(l.now) {
		if c.Replied {
			answered[c.Original.Src().String()]++
		}
	}
	if answered["11.11.11.2"] != 13 || answered["11.11.11.3"] != 3 {
		t.Errorf("answered connections: %v, want 13 of RED and 3 of PINK", answered)
	}
}

func TestFloodFromManySources(t *testing.T) {
	l := newLabWith(t, nat.Config{MaxConns: 64}, "-t nat -A PREROUTING -i uplink -p tcp -j DNAT --to-destination 22.22.22.2:80")
	l.answered(l.red, 10, 1000)
	for i := range 5000 {
		l.wan.send(tcp(fmt.Sprintf("%d.%d.%d.9:99", 100+i%50, i/50%250, i/7%250), "192.0.2.2:80", seg{flags: "S"}))
	}
	l.answered(l.pink, 10, 1000)
	if red, pink := l.of(l.red), l.of(l.pink); red != 10 || pink != 10 {
		t.Errorf("RED has %d and PINK %d, want 10 each", red, pink)
	}
	l.advance(5 * time.Minute)
	l.answered(l.pink, 40, 2000)
	if n := l.of(l.pink); n < 40 {
		t.Errorf("after the flood PINK has %d connections, want 40", n)
	}
}

func TestHalfOpenAtAServiceThatAnswersStarvesNobody(t *testing.T) {
	// Forged SYNs to a published port, each answered by the service: they are nobody's who will ever say more.
	l := newLabWith(t, nat.Config{MaxConns: 64},
		"-t nat -A PREROUTING -i uplink -p tcp --dport 80 -j DNAT --to-destination 22.22.22.2:80")
	established := func(i int) {
		src := fmt.Sprintf("8.8.4.4:%d", 1000+i)
		l.wan.send(tcp(src, "192.0.2.2:80", seg{flags: "S"}))
		l.blue.send(tcp("22.22.22.2:80", src, seg{flags: "SA", ack: 1}))
		l.wan.send(tcp(src, "192.0.2.2:80", seg{flags: "A", seq: 1, ack: 1}))
	}
	for i := range 5 {
		established(i)
	}
	for i := range 5000 {
		src := fmt.Sprintf("%d.%d.%d.9:99", 100+i%50, i/50%250, i/7%250)
		l.wan.send(tcp(src, "192.0.2.2:80", seg{flags: "S"}))
		l.blue.send(tcp("22.22.22.2:80", src, seg{flags: "SA", ack: 1}))
		if n := len(l.Conns(l.now)); i%500 == 0 && n > 5+64/8 {
			t.Fatalf("%d connections after %d SYNs, want at most an eighth of 64 half open and the 5 established", n, i)
		}
	}
	l.answered(l.red, 10, 1000)
	established(5)
	l.drops(trace.SourceLimit, 0)
	assured := map[string]int{}
	for _, c := range l.Conns(l.now) {
		if c.Assured {
			assured[c.Original.Src().String()]++
		}
	}
	if assured["8.8.4.4"] != 6 || assured["11.11.11.2"] != 10 {
		t.Errorf("assured connections: %v, want 6 of the clients outside and 10 of RED's", assured)
	}
}

func TestAddressesDoNotMakeManyOfOneHost(t *testing.T) {
	l := newLabWith(t, nat.Config{MaxConns: 16})
	for i := range 4 { // RED with four addresses
		also := l.br0.host(fmt.Sprintf("11.11.11.%d", 100+i), 2)
		l.answered(also, 8, 1000)
	}
	l.answered(l.pink, 8, 1000)
	if n := l.of(l.pink); n != 8 {
		t.Errorf("PINK has %d connections, want 8: half of the table is not too much for the second of two hosts", n)
	}
}

func TestFlushedConnectionsGoOn(t *testing.T) {
	l := newLab(t, masquerade)
	all := func(nat.Conn) bool { return true }
	l.handshake()
	l.red.send(udp(redPort, "8.8.8.8:53", "q"), echo("11.11.11.2", "8.8.8.8", 7, ""))
	before := l.Conns(l.now)
	if n := l.FlushConns(all, l.now); n != 3 || len(l.Conns(l.now)) != 0 {
		t.Fatalf("%d flushed and %d left, want 3 and none", n, len(l.Conns(l.now)))
	}
	l.wan.raw()
	l.say("red", seg{flags: "PA", seq: 1, ack: 1, data: "on"})
	l.red.send(udp(redPort, "8.8.8.8:53", "q"), echo("11.11.11.2", "8.8.8.8", 7, ""))
	if n := len(l.wan.raw()); n != 3 {
		t.Errorf("%d of 3 packets went out after the flush", n)
	}
	for i, c := range l.Conns(l.now) {
		if c.Original != before[i].Original || c.Reply != before[i].Reply || c.ID == before[i].ID {
			t.Errorf("connection %v, %v was %v, %v", c.Original, c.Reply, before[i].Original, before[i].Reply)
		}
	}
	l.say("srv", seg{flags: "A", seq: 1, ack: 3})
	if c := l.Conns(l.now)[0]; c.State != "ESTABLISHED" || !c.Assured {
		t.Errorf("TCP is %s, assured: %v", c.State, c.Assured)
	}
	// What was closed, or was never there, is not taken up.
	l.red.send(tcp("11.11.11.2:999", server, seg{flags: "A", seq: 1, ack: 1}))
	if n := len(l.Conns(l.now)); n != 3 {
		t.Errorf("%d connections after an acknowledgement out of nowhere, want 3", n)
	}
	// The rules are asked again.
	l.FlushConns(all, l.now)
	l.rule("-t nat -I POSTROUTING -p tcp -j SNAT --to-source 192.0.2.9")
	l.say("red", seg{flags: "A", seq: 3, ack: 1})
	if c := l.conn(); c.Reply.Dst() != ip4("192.0.2.9") {
		t.Errorf("after the flush it leaves as %v, want 192.0.2.9 as the new rule says", c.Reply.Dst())
	}
}
