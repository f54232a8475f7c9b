package sim

import (
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// cable puts an Outside behind a leg of the gateway that speaks Ethernet, as the uplink into a namespace does: whoever is
// asked for by ARP is there.
type cable struct {
	outside Outside
	tracer  *trace.Tracer
	clock   *Clock
	leg     *nat.Interface
}

// nextHopMAC is who answers for everybody out there.
var nextHopMAC = frame.MAC{0x02, 0x00, 0x5e, 0x00, 0x53, 0x01}

// Output implements nat.Segment.
func (c *cable) Output(f frame.Frame, j *trace.Journey, now time.Time) {
	e, ok := frame.ParseEthernet(f.Data)
	if !ok {
		return
	}
	switch e.Type() {
	case frame.TypeARP:
		if a, ok := frame.ParseARP(e.Payload()); ok && a.Op() == frame.ARPRequest && !a.IsAnnouncement() && !a.IsProbe() {
			c.answer(a.SenderMAC(), a)
		}
	case frame.TypeIPv4:
		event := trace.Event{Hook: trace.Egress, Verdict: trace.Accept, Note: trace.UplinkSent, Where: c.leg.Name(), Frame: f}
		if r := c.outside.Output(f, now); r != trace.NoReason {
			event.Verdict, event.Note, event.Reason = trace.Drop, trace.NoNote, r
			j = c.tracer.Drop(r, j)
		}
		if j.On() {
			j.Emit(event)
		}
	}
}

func (c *cable) answer(to frame.MAC, a frame.ARP) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(to, nextHopMAC, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPReply, nextHopMAC, a.TargetIP(), to, a.SenderIP())
	c.clock.After(DefaultLatency, func() {
		j := c.tracer.Begin(c.clock.Now())
		defer j.End()
		c.leg.Input(frame.Frame{Data: b}, j, c.clock.Now())
	})
}
