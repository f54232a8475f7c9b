package join

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/words"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// Half is a packet's journey on one machine.
type Half struct {
	Capture int    // 0 or 1
	Packet  uint64 // its number there
	Summary string // the frame, as it is when the journey begins there
	Steps   []Step
}

// Step is one step of a half.
type Step struct {
	Time  time.Time // of that machine's clock
	Where string    // RED ingress; drops
	Text  string
}

// Crossing is two halves of one journey.
type Crossing struct {
	From, To  *Half
	Sent, Got time.Time // of the first datagram, each by its own machine's clock
	Datagrams int       // that are in both
	Twins     int       // so many equal frames are in one of the captures, and not as many in the other; 0: no doubt
}

// Clocks is what the crossings tell of two clocks.
type Clocks struct {
	Least, Most time.Duration // by how much the second one is ahead
	Low, High   bool          // whether there is such a bound: something went back, something went there
}

// Joined is what two captures have in common.
type Joined struct {
	Names     [2]string
	Lost      [2]uint64 // steps that the captures lack
	Crossings []Crossing
	Alone     [2]int // datagrams that are in one of them only, though the other machine has sent or got some
	Clocks    Clocks
}

// passage is a datagram at one end of a tunnel.
type passage struct {
	at   time.Time
	half *Half
}

// passages are the datagrams of a capture: what goes into tunnels, and what comes out of them, by what is the same at both ends.
type passages struct {
	lost      uint64
	out, in   map[string][]passage
	outs, ins []string // the keys in the order of the capture
}

// Files joins two captures. A step more than limit in a file is an error: all of them are held in memory.
func Files(a, b string, limit int) (*Joined, error) {
	j := &Joined{Names: [2]string{a, b}}
	var both [2]*passages
	for i, path := range j.Names {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		both[i], err = read(file, i, limit)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		j.Lost[i] = both[i].lost
	}
	j.match(both[0], both[1])
	j.match(both[1], both[0])
	j.bound()
	if len(j.Crossings) == 0 {
		return nil, fmt.Errorf("no packet is in both %s and %s: nothing that one of them sent into a tunnel came out of one in the other", a, b)
	}
	back := j.Clocks.Middle()
	slices.SortStableFunc(j.Crossings, func(a, b Crossing) int {
		return cmp.Or(a.sent(back).Compare(b.sent(back)), cmp.Compare(a.From.Packet, b.From.Packet), cmp.Compare(a.To.Packet, b.To.Packet))
	})
	return j, nil
}

// sent is when the crossing began, by the first capture's clock.
func (c *Crossing) sent(ahead time.Duration) time.Time {
	if c.From.Capture == 1 {
		return c.Sent.Add(-ahead)
	}
	return c.Sent
}

// read reads a capture.
func read(r io.Reader, capture, limit int) (*passages, error) {
	p := &passages{out: map[string][]passage{}, in: map[string][]passage{}}
	halves := map[uint64]*Half{}
	in := pcap.NewReader(r)
	for steps := 0; ; steps++ {
		s, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if steps == limit {
			return nil, fmt.Errorf("more than %d steps: capture less of it, with --host, --proto or --port", limit)
		}
		if s.Packet == 0 {
			continue // not a step of a packet's
		}
		h := halves[s.Packet]
		if h == nil {
			h = &Half{Capture: capture, Packet: s.Packet}
			halves[s.Packet] = h
		}
		p.add(h, s)
	}
	if len(halves) == 0 {
		return nil, words.Errorf("its packets have no numbers: want a file that uswitch capture -w has written")
	}
	p.lost = in.Lost()
	return p, nil
}

// add takes a step.
func (p *passages) add(h *Half, s pcap.Step) {
	step := Step{Time: s.Time, Where: trace.Printable(s.Name), Text: trace.Printable(s.Text)}
	key, inner, ok := tunnelled(s)
	if !ok {
		inner = s.Data
	}
	if h.Summary == "" {
		e := trace.Event{IP: s.IP && !ok, Length: s.Length - (len(s.Data) - len(inner)), Frame: frame.Frame{Data: inner}}
		h.Summary = e.Head(words.In, nil).Summary()
	}
	if last := len(h.Steps) - 1; last < 0 || !ok || h.Steps[last].Where != step.Where || h.Steps[last].Text != step.Text {
		h.Steps = append(h.Steps, step) // of a super-frame the capture has one a segment
	}
	if !ok {
		return
	}
	table, order := p.out, &p.outs
	if strings.HasSuffix(s.Name, " "+trace.Decap.String()) {
		table, order = p.in, &p.ins
	}
	if table[key] == nil {
		*order = append(*order, key)
	}
	table[key] = append(table[key], passage{s.Time, h})
}

// tunnelled returns what a datagram is known by at both ends of its tunnel, and the frame in it; ok is false of a step at which there
// is none. Ports, lifetime and type of service of the outer packet may change on the way. Of frames that were cut (--snap) both
// captures must have the same part.
func tunnelled(s pcap.Step) (key string, inner []byte, ok bool) {
	if !strings.HasSuffix(s.Name, " "+trace.Encap.String()) && !strings.HasSuffix(s.Name, " "+trace.Decap.String()) {
		return "", nil, false
	}
	at := frame.IPv4Header // as trace.Outer writes it
	if len(s.Data) > 0 && s.Data[0]>>4 == 6 {
		at = frame.IPv6Header
	}
	if at += frame.UDPHeader; !s.IP || len(s.Data) < at {
		return "", nil, false
	}
	vni, ok := frame.ParseVXLAN(s.Data[at:])
	if !ok {
		return "", nil, false
	}
	outer, inner := frame.IP(s.Data), s.Data[at+frame.VXLANHeader:]
	return fmt.Sprint(vni, outer.Src(), outer.Dst(), string(inner)), inner, true
}

// match finds what one capture has sent in what the other has got.
func (j *Joined) match(from, to *passages) {
	crossed := map[[2]*Half]*Crossing{}
	var order []*Crossing
	for _, key := range from.outs {
		sent, got := from.out[key], to.in[key]
		if len(got) == 0 {
			j.Alone[sent[0].half.Capture] += len(sent)
			continue
		}
		twins := 0
		if len(sent) != len(got) {
			twins = max(len(sent), len(got))
		}
		for i := range min(len(sent), len(got)) {
			pair := [2]*Half{sent[i].half, got[i].half}
			c := crossed[pair]
			if c == nil {
				c = &Crossing{From: pair[0], To: pair[1], Sent: sent[i].at, Got: got[i].at}
				crossed[pair] = c
				order = append(order, c)
			}
			c.Datagrams++
			c.Twins = max(c.Twins, twins)
		}
	}
	for _, key := range to.ins {
		if len(from.out[key]) == 0 {
			j.Alone[to.in[key][0].half.Capture] += len(to.in[key])
		}
	}
	for _, c := range order {
		j.Crossings = append(j.Crossings, *c)
	}
}

// bound reads the clocks from the crossings that are beyond doubt.
func (j *Joined) bound() {
	for _, c := range j.Crossings {
		if c.Twins > 0 {
			continue
		}
		d := c.Got.Sub(c.Sent)
		if c.From.Capture == 0 { // ahead + delay
			if !j.Clocks.High || d < j.Clocks.Most {
				j.Clocks.Most, j.Clocks.High = d, true
			}
		} else if !j.Clocks.Low || -d > j.Clocks.Least { // delay - ahead
			j.Clocks.Least, j.Clocks.Low = -d, true
		}
	}
}

// Middle is by how much the second clock is taken to be ahead.
func (c Clocks) Middle() time.Duration {
	switch {
	case c.Low && c.High:
		return c.Least + (c.Most-c.Least)/2
	case c.Low:
		return c.Least
	}
	return c.Most
}
