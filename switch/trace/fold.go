package trace

import (
	"slices"
	"time"

	"uswitch/switch/frame"
)

// A deduplicator keeps bursts short: of the alike packets of one flow that follow each other quickly it lets the first few
// through and counts the rest. Alike packets took the same steps for the same reasons, in the same direction; a TCP
// segment that opens or closes a connection is like no other, so beginnings and ends are always seen.
type deduplicator struct {
	in     Language
	bursts map[flow]*burst
	order  []*burst // by their beginning
	next   time.Time
}

const (
	showFirst = 3                      // alike packets that are shown in full
	burstGap  = 200 * time.Millisecond // after this long a flow's next packet is worth a look again
	tellEvery = time.Second            // a burst that does not end is reported on
	maxBursts = 1024                   // flows remembered at once; the oldest gives way
)

// flow is what packets of a burst have in common: a connection, or else both ends in either direction.
type flow struct {
	conn     uint64
	tuple    frame.Tuple
	src, dst frame.MAC
	kind     uint16 // EtherType
}

type burst struct {
	flow          flow
	label         string
	seen          map[string]int // burst keys, and how many packets had them
	last, told    time.Time
	folded, bytes uint64
	at            uint64 // the place of the first event that was folded and not told of
}

func newDeduplicator(in Language) *deduplicator {
	return &deduplicator{in: in, bursts: map[flow]*burst{}}
}

// see takes the next journey. fold means that it is not to be printed; note, if any, is to be printed before it.
func (f *deduplicator) see(j *journey, names Names) (note string, fold bool) {
	key, reversed := flowOf(j)
	b := f.bursts[key]
	if b == nil || j.time.Sub(b.last) > burstGap {
		if b != nil {
			note = f.end(b)
		} else if len(f.order) == maxBursts {
			note = f.end(f.order[0])
		}
		b = &burst{flow: key, label: label(f.in, key, j, names), seen: map[string]int{}, told: j.time}
		f.bursts[key] = b
		f.order = append(f.order, b)
	}
	b.last = j.time
	alike := burstKeyOf(j, reversed)
	b.seen[alike]++
	if b.seen[alike] > showFirst {
		b.folded++
		b.at = earlier(b.at, j.at)
		b.bytes += uint64(j.steps[0].Length)
		return note, true
	}
	return or(note, b.tell(f.in)), false
}

// due returns what is to be said at now: of bursts that are over, and of those that go on for long.
func (f *deduplicator) due(now time.Time) []string {
	if now.Before(f.next) {
		return nil
	}
	f.next = now.Add(burstGap)
	var notes []string
	for _, b := range slices.Clone(f.order) {
		note := ""
		if now.Sub(b.last) > burstGap {
			note = f.end(b)
		} else if now.Sub(b.told) >= tellEvery {
			b.told = now
			note = b.tell(f.in)
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	return notes
}

// rest ends every burst and returns what there is to say.
func (f *deduplicator) rest() []string {
	var notes []string
	for len(f.order) > 0 {
		if note := f.end(f.order[0]); note != "" {
			notes = append(notes, note)
		}
	}
	return notes
}

func (f *deduplicator) end(b *burst) string {
	delete(f.bursts, b.flow)
	f.order = slices.DeleteFunc(f.order, func(other *burst) bool { return other == b })
	return b.tell(f.in)
}

// tell says what was folded since it was said last: ... 1,204 more of connection 3, 1.7 MB.
func (b *burst) tell(in Language) string {
	if b.folded == 0 {
		return ""
	}
	note := in("... %s more %s, %s", commas(b.folded), b.label, size(in, b.bytes))
	b.folded, b.bytes, b.at = 0, 0, 0
	return note
}

func label(in Language, key flow, j *journey, names Names) string {
	if key.conn != 0 {
		return in("of connection %d", key.conn)
	}
	h := j.steps[0].Head(in, names)
	return in("%s between %s and %s", h.Proto, h.From, h.To)
}

// flowOf returns the flow that a journey belongs to, and whether it runs against the direction that the flow is written
// in.
func flowOf(j *journey) (key flow, reversed bool) {
	first := &j.steps[0]
	key.kind, _, _ = first.layers()
	if p, ok := first.Network(); ok {
		t, _ := p.Tuple()
		if reply := t.Reply(); lessTuple(reply, t) {
			t, reversed = reply, true
		}
		key.tuple = t
	} else if eth, ok := frame.ParseEthernet(first.Frame.Data); ok {
		key.src, key.dst = eth.Src(), eth.Dst()
	}
	for i := range j.steps {
		if conn := j.steps[i].Conn; conn != 0 {
			return flow{conn: conn}, reversed
		}
	}
	return key, reversed
}

func lessTuple(a, b frame.Tuple) bool {
	if c := a.SrcIP.Compare(b.SrcIP); c != 0 {
		return c < 0
	}
	return a.SrcPort < b.SrcPort
}

// burstKeyOf writes down everything in which alike packets agree.
func burstKeyOf(j *journey, reversed bool) string {
	key := make([]byte, 0, 64)
	for i := range j.steps {
		e := &j.steps[i]
		key = append(key, byte(e.Hook), byte(e.Verdict), byte(e.Note), byte(e.Reason))
	}
	if reversed {
		key = append(key, 1)
	}
	p, ok := j.steps[0].Network()
	if !ok || p.FragmentOffset() > 0 {
		return string(key)
	}
	payload := p.Payload()
	switch {
	case p.Proto() == frame.ProtoTCP && len(payload) >= 14:
		key = append(key, payload[13]&byte(frame.SYN|frame.FIN|frame.RST))
	case p.IsICMP() && len(payload) >= 2:
		key = append(key, payload[0], payload[1])
	}
	return string(key)
}
