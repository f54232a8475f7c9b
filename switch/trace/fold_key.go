package trace

import (
	"uswitch/switch/frame"
)

// flowOf returns the flow that a journey belongs to, and whether it runs against the direction that the flow is written
// in.
func flowOf(j *journey) (key flow, reversed bool) {
	first := &j.steps[0]
	key.kind, _, _ = first.layers()
	if p, ok := first.IPv4(); ok {
		t, _ := frame.TupleOf(p)
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

// shapeOf writes down everything in which alike packets agree.
func shapeOf(j *journey, reversed bool) string {
	shape := make([]byte, 0, 64)
	for i := range j.steps {
		e := &j.steps[i]
		shape = append(shape, byte(e.Hook), byte(e.Verdict), byte(e.Note), byte(e.Reason))
	}
	if reversed {
		shape = append(shape, 1)
	}
	p, ok := j.steps[0].IPv4()
	if !ok || p.FragmentOffset() > 0 {
		return string(shape)
	}
	payload := p.Payload()
	switch {
	case p.Proto() == frame.ProtoTCP && len(payload) >= 14:
		shape = append(shape, payload[13]&byte(frame.SYN|frame.FIN|frame.RST))
	case p.Proto() == frame.ProtoICMP && len(payload) >= 2:
		shape = append(shape, payload[0], payload[1])
	}
	return string(shape)
}
