package arp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
)

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	self  = arp.Self{MAC: frame.MAC{2, 0x42, 11, 11, 11, 1}, Addr: netip.MustParsePrefix("11.11.11.1/24")}
	red   = netip.MustParseAddr("11.11.11.2")
	blue  = netip.MustParseAddr("11.11.11.3")
	redM  = frame.MACFromIPv4(red)
	blueM = frame.MACFromIPv4(blue)
)

// packet makes an ARP packet, as frame.PutARP, whose target's hardware address is not known.
func packet(op uint16, sha frame.MAC, spa, tpa netip.Addr) []byte {
	b := make([]byte, frame.ARPLength)
	frame.PutARP(b, op, sha, spa, frame.MAC{}, tpa)
	return b
}

// table is a Cache of strings and its clock.
type table struct {
	*arp.Cache[string]
	now time.Time
}

func newTable() *table { return &table{arp.New[string](), start} }

// hears lets a station's packet come in and says what it turned out to be: "told learned [held packets]".
func (c *table) hears(op uint16, mac frame.MAC, spa, tpa netip.Addr) string {
	return say(c.Input(packet(op, mac, spa, tpa), mac, self, c.now))
}

var cases = map[arp.Case]string{arp.Bad: "bad", arp.Disguised: "disguised", arp.Foreign: "foreign", arp.Echoed: "echoed",
	arp.NotMine: "not mine", arp.Asked: "asked", arp.Probed: "probed",
	arp.Told: "told", arp.Unsolicited: "unsolicited", arp.Conflict: "conflict"}

func say(out arp.Outcome[string]) string {
	s := cases[out.Case]
	if out.Learned {
		s += " learned"
	}
	if out.Defend {
		s += " defend"
	}
	if out.Held != nil {
		s += fmt.Sprint(" ", out.Held)
	}
	return s
}

var answers = map[arp.Answer]string{arp.Known: "known", arp.Unknown: "unknown", arp.Ask: "ask", arp.Wait: "wait", arp.Full: "full"}

// sends does what a gateway does with a packet, and says what the table answers.
func (c *table) sends(to netip.Addr, packet string) string {
	r := c.Resolve(to, c.now)
	if r.Answer == arp.Unknown {
		var dropped []string
		if r, dropped = c.Hold(to, packet, c.now); dropped != nil {
			return fmt.Sprint(answers[r.Answer], " drops ", dropped)
		}
	}
	if r.Answer == arp.Known {
		return fmt.Sprint("known ", r.MAC)
	}
	return answers[r.Answer]
}

// ticks says what is to be done, and when next, in seconds from now.
func (c *table) ticks() string {
	var words []string
	actions, next := c.Tick(c.now)
	for _, a := range actions {
		switch {
		case a.GaveUp:
			words = append(words, fmt.Sprint("give up ", a.Addr, " ", a.Held))
		default:
			words = append(words, fmt.Sprint("ask ", a.To, " for ", a.Addr))
		}
	}
	if !next.IsZero() {
		words = append(words, fmt.Sprint("next ", next.Sub(c.now)))
	}
	return strings.Join(words, ", ")
}

// list renders the table: "11.11.11.2 02:... STALE".
func (c *table) list() string {
	var rows []string
	for _, n := range c.List(c.now) {
		row := fmt.Sprint(n.Addr, " ", n.State)
		if n.MAC != (frame.MAC{}) {
			row = fmt.Sprint(n.Addr, " ", n.MAC, " ", n.State)
		}
		rows = append(rows, row)
	}
	return strings.Join(rows, ", ")
}

// TestWalk walks the state machine of doc.go: at a time, something happens, and this is what comes of it.
func TestWalk(t *testing.T) {
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	answer := func(c *table) string { return c.hears(frame.ARPReply, redM, red, self.Addr.Addr()) }
	answerAs := func(m frame.MAC) func(*table) string {
		return func(c *table) string { return c.hears(frame.ARPReply, m, red, self.Addr.Addr()) }
	}
	asksMe := func(c *table) string { return c.hears(frame.ARPRequest, redM, red, self.Addr.Addr()) }
	asksBlue := func(c *table) string { return c.hears(frame.ARPRequest, redM, red, blue) }
	announces := func(c *table) string { return c.hears(frame.ARPRequest, redM, red, red) }
	send := func(c *table) string { return c.sends(red, "p") }
	tick := (*table).ticks
	type step struct {
		at    float64 // seconds
		do    func(*table) string
		want  string
		state string // of RED afterwards
	}
	const known = "known 02:42:0b:0b:0b:02"
	askAll, askRed := "ask ff:ff:ff:ff:ff:ff for 11.11.11.2, next 1s", "ask 02:42:0b:0b:0b:02 for 11.11.11.2, next 1s"
	tests := []struct {
		name  string
		steps []step
	}{
		{"asked, answered, believed for 30 s", []step{
			{0, send, "ask", "INCOMPLETE"},
			{0.1, send, "wait", "INCOMPLETE"},
			{0.2, answer, "told learned [p p]", "REACHABLE"},
			{0.3, send, known, "REACHABLE"},
			{0.4, tick, "", "REACHABLE"},
			{30.1, send, known, "REACHABLE"},
			{30.2, tick, "", "STALE"},
		}},
		{"A9 an answer after the second question is not too late", []step{
			{0, send, "ask", "INCOMPLETE"},
			{0.5, tick, "next 500ms", "INCOMPLETE"},
			{1, tick, askAll, "INCOMPLETE"},
			{1.9, answer, "told learned [p]", "REACHABLE"},
			{2, tick, "", "REACHABLE"},
		}},
		{"A9 three questions, a second apart, then failure returns what waited", []step{
			{0, send, "ask", "INCOMPLETE"},
			{1, tick, askAll, "INCOMPLETE"},
			{1.5, send, "wait", "INCOMPLETE"},
			{2, tick, askAll, "INCOMPLETE"},
			{3, tick, "give up 11.11.11.2 [p p]", "FAILED"},
			{3, tick, "", "FAILED"},
			{3, send, "ask", "INCOMPLETE"},
			{4, tick, askAll, "INCOMPLETE"},
			{5, tick, askAll, "INCOMPLETE"},
			{6, tick, "give up 11.11.11.2 [p]", "FAILED"},
			{6.5, answer, "told learned", "REACHABLE"},
		}},
		{"a late caller with an early clock does not ask twice in a second", []step{
			{0, send, "ask", "INCOMPLETE"},
			{1, tick, askAll, "INCOMPLETE"},
			{2, tick, askAll, "INCOMPLETE"},
			{3, tick, "give up 11.11.11.2 [p]", "FAILED"},
			{2.9, send, "wait", "INCOMPLETE"},
			{3, tick, askAll, "INCOMPLETE"},
		}},
		{"stale in use is asked at its address, and confirms", []step{
			{0, asksMe, "asked learned", "STALE"},
			{10, tick, "", "STALE"},
			{10, send, known, "DELAY"},
			{11, send, known, "DELAY"},
			{14.9, tick, "next 100ms", "DELAY"},
			{15, tick, askRed, "PROBE"},
			{15.5, send, known, "PROBE"},
			{15.6, answer, "told", "REACHABLE"},
		}},
		{"stale in use, and gone", []step{
			{0, asksMe, "asked learned", "STALE"},
			{0, send, known, "DELAY"},
			{5, tick, askRed, "PROBE"},
			{6, tick, askRed, "PROBE"},
			{7, tick, askRed, "PROBE"},
			{8, tick, "give up 11.11.11.2 []", "FAILED"},
			{8, send, "ask", "INCOMPLETE"},
		}},
		{"chatter is no answer: who cannot hear us fails in the end", []step{
			{0, asksMe, "asked learned", "STALE"},
			{0, send, known, "DELAY"},
			{5, tick, askRed, "PROBE"},
			{5.5, asksBlue, "not mine", "PROBE"},
			{6, tick, askRed, "PROBE"},
			{6.5, announces, "told", "PROBE"},
			{7, tick, askRed, "PROBE"},
			{7.5, asksMe, "asked", "PROBE"},
			{8, tick, "give up 11.11.11.2 []", "FAILED"},
		}},
		{"both ask at once: the answer counts though the question came first", []step{
			{0, send, "ask", "INCOMPLETE"},
			{0.1, asksMe, "asked learned [p]", "STALE"},
			{0.2, answer, "told", "REACHABLE"},
		}},
		{"an answer without a question confirms nothing", []step{
			{0, asksMe, "asked learned", "STALE"},
			{1, answer, "told", "STALE"},
			{1, send, known, "DELAY"},
			{2, answer, "told", "DELAY"},
			{6, tick, askRed, "PROBE"},
		}},
		{"a neighbour that changes its interface", []step{
			{0, send, "ask", "INCOMPLETE"},
			{0.1, answer, "told learned [p]", "REACHABLE"},
			{1, answerAs(blueM), "told learned", "STALE"},
			{1, send, "known 02:42:0b:0b:0b:03", "DELAY"},
			{2, answerAs(redM), "told learned", "STALE"},
		}},
		{"a failed neighbour that shows up", []step{
			{0, send, "ask", "INCOMPLETE"},
			{1, tick, askAll, "INCOMPLETE"},
			{2, tick, askAll, "INCOMPLETE"},
			{3, tick, "give up 11.11.11.2 [p]", "FAILED"},
			{4, announces, "told learned", "STALE"},
			{4, send, known, "DELAY"},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newTable()
			for i, s := range test.steps {
				c.now = at(s.at)
				got := s.do(c)
				rows := c.List(c.now)
				if len(rows) != 1 || got != s.want || rows[0].State.String() != s.state {
					t.Fatalf("step %d at %vs: %q, want %q and %s; table %s", i+1, s.at, got, s.want, s.state, c.list())
				}
				if empty := rows[0].MAC == (frame.MAC{}); empty != (s.state == "INCOMPLETE" || s.state == "FAILED") {
					t.Fatalf("step %d: the address of a %s neighbour is %v", i+1, s.state, rows[0].MAC)
				}
			}
		})
	}
}

// TestRate is row A9 and fault F20: however many packets want to go and however often Tick is called, nobody is asked for
// more than once a second.
func TestRate(t *testing.T) {
	c := newTable()
	asked := map[netip.Addr]time.Time{}
	ask := func(a netip.Addr) {
		if last, ok := asked[a]; ok && c.now.Sub(last) < time.Second {
			t.Fatalf("%v asked for again after %v", a, c.now.Sub(last))
		}
		asked[a] = c.now
	}
	for i := range 3000 {
		c.now = start.Add(time.Duration(i) * 7 * time.Millisecond)
		for _, a := range []netip.Addr{red, blue} {
			if c.sends(a, "p")[:3] == "ask" {
				ask(a)
			}
		}
		if i == 500 {
			c.hears(frame.ARPRequest, blueM, blue, self.Addr.Addr())
		}
		actions, _ := c.Tick(c.now)
		for _, action := range actions {
			if !action.GaveUp {
				ask(action.Addr)
			}
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked for %v", asked)
	}
}

// TestHeld: the oldest packet goes when one neighbour's queue is full, and order is kept.
func TestHeld(t *testing.T) {
	c := newTable()
	for i := range arp.MaxHeld {
		c.sends(red, fmt.Sprint(i))
	}
	if got := c.sends(red, "16"); got != "wait drops [0]" {
		t.Errorf("one more: %q", got)
	}
	got := c.hears(frame.ARPReply, redM, red, self.Addr.Addr())
	if want := "told learned [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]"; got != want {
		t.Errorf("released %q, want %q", got, want)
	}
	if r, dropped := c.Hold(red, "late", c.now); r.Answer != arp.Known || r.MAC != redM || dropped != nil {
		t.Errorf("Hold after the answer: %+v, %v", r, dropped)
	}
}

// TestConfigured: permanent neighbours are not asked for, not changed, not flushed; and what waits is never lost.
func TestConfigured(t *testing.T) {
	c := newTable()
	c.sends(red, "p")
	if got := c.SetPermanent(red, redM, c.now); len(got) != 1 || got[0] != "p" {
		t.Errorf("released %v", got)
	}
	c.now = c.now.Add(1000 * time.Hour)
	if r := c.Resolve(red, c.now); r.Answer != arp.Known || !r.Static || r.MAC != redM {
		t.Errorf("resolved to %+v", r)
	}
	if got := c.hears(frame.ARPReply, blueM, red, self.Addr.Addr()); got != "told" {
		t.Errorf("somebody else's claim: %q", got)
	}
	c.sends(blue, "q")
	if got := c.Flush(); len(got) != 1 || got[0] != "q" {
		t.Errorf("flushed %v", got)
	}
	if got := c.list(); got != "11.11.11.2 02:42:0b:0b:0b:02 PERMANENT" {
		t.Errorf("table %q", got)
	}
	c.sends(blue, "r")
	if held, ok := c.Remove(blue); !ok || len(held) != 1 || held[0] != "r" {
		t.Errorf("removed %v %v", held, ok)
	}
	if _, ok := c.Remove(blue); ok {
		t.Error("removed twice")
	}
	if _, ok := c.Remove(red); !ok || c.list() != "" {
		t.Error("a permanent neighbour cannot be removed")
	}
}

// TestFlushOrder: what comes back is in the order of the addresses, in every run.
func TestFlushOrder(t *testing.T) {
	for range 10 {
		c, want := newTable(), ""
		for n := range 50 {
			c.sends(nth(49-n), fmt.Sprint(49-n))
			want += fmt.Sprint(n, " ")
		}
		if got := strings.Join(c.Flush(), " ") + " "; got != want {
			t.Fatalf("got %s", got)
		}
	}
}

// TestStates: the names are those of `ip neigh`.
func TestStates(t *testing.T) {
	var names []string
	for s := arp.Incomplete; s <= arp.Permanent; s++ {
		names = append(names, s.String())
	}
	if got, want := strings.Join(names, " "), "INCOMPLETE REACHABLE STALE DELAY PROBE FAILED PERMANENT"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
