package names_test

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"uswitch/switch/frame"
)

// FuzzDeliver: whatever a packet says, there is at most one answer, it goes back to where the question came from, is a message
// of at most the size that the asker has room for, and answers nobody's answer.
func FuzzDeliver(f *testing.F) {
	for _, m := range []*dns.Msg{question("blue", dns.TypeA), question("3.11.11.11.in-addr.arpa", dns.TypePTR),
		question("crowd", dns.TypeANY).SetEdns0(1232, true), new(dns.Msg)} {
		b, _ := m.Pack()
		f.Add(datagram(red, b).Data)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newServer(t, nil)
		s.Set(crowd(100))
		s.Deliver(frame.Frame{Data: b}, time.Unix(0, 0))
		if len(s.wire) == 0 {
			return
		}
		asked, _ := frame.ParseIPv4(b[frame.EthernetHeader:])
		said, err := frame.ParseIPv4((<-s.wire).Data[frame.EthernetHeader:])
		if err != nil || len(s.wire) > 0 || said.Src() != asked.Dst() || said.Dst() != asked.Src() {
			t.Fatalf("%v, %d more answers, from %v to %v", err, len(s.wire), said.Src(), said.Dst())
		}
		q, reply := new(dns.Msg), new(dns.Msg)
		payload := frame.UDP(said.Payload()).Payload()
		if err := reply.Unpack(payload); err != nil || !reply.Response {
			t.Fatalf("%v: %v", err, reply)
		}
		limit := dns.MinMsgSize
		if q.Unpack(frame.UDP(asked.Payload()).Payload()) == nil && q.IsEdns0() != nil {
			limit = max(limit, int(q.IsEdns0().UDPSize()))
		}
		if q.Response || len(payload) > limit {
			t.Errorf("%d bytes for %d, to an answer: %v", len(payload), limit, q.Response)
		}
	})
}
