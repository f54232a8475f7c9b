package vxlan_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/vxlan"
)

var (
	epoch  = time.Unix(1000, 0)
	here   = netip.MustParseAddr("192.168.50.1")
	there  = netip.MustParseAddr("192.168.50.2")
	third  = netip.MustParseAddr("192.168.50.3")
	red    = frame.MAC{2, 0, 0, 0, 0, 1}
	blue   = frame.MAC{2, 0, 0, 0, 0, 2}
	redIP  = netip.MustParseAddr("10.0.0.1")
	blueIP = netip.MustParseAddr("10.0.0.2")
)

// underlay carries datagrams between endpoints at once, and notes them.
type underlay struct {
	ends   map[netip.Addr]*vxlan.Endpoint
	sent   []sent
	refuse trace.Reason
	tos    uint8 // that a router puts on all of them
	quiet  bool  // nothing is noted or delivered
}

type sent struct {
	to   netip.AddrPort
	tos  uint8
	size int
	data []byte
}

// socket is one machine's.
type socket struct {
	*underlay
	local netip.Addr
}

func (s socket) Source(flow uint32) netip.AddrPort {
	return netip.AddrPortFrom(s.local, 50000+uint16(flow%16))
}

func (s socket) Send(b []byte, size int, flow uint32, to netip.AddrPort, tos uint8) (trace.Reason, int) {
	if s.refuse != trace.NoReason {
		return s.refuse, 1400 + frame.VXLANHeader + frame.EthernetHeader
	}
	if s.quiet {
		return trace.NoReason, 0
	}
	s.sent = append(s.sent, sent{to, tos, size, bytes.Clone(b)})
	if e := s.ends[to.Addr()]; e != nil {
		e.Input(vxlan.Arrival{Data: bytes.Clone(b), Size: size, From: s.Source(flow), TTL: 63, TOS: tos | s.tos}, epoch)
		e.Flush(epoch)
	}
	return trace.NoReason, 0
}

// machine is a switch with a tunnel and one host.
type machine struct {
	t      *testing.T
	sw     *vswitch.Switch
	end    *vxlan.Endpoint
	link   *vxlan.Link
	tunnel *vswitch.Port
	host   *host
	port   *vswitch.Port
	tracer *trace.Tracer
	ring   *trace.Ring
}

// host keeps what it is sent.
type host struct{ got []frame.Frame }

func (h *host) Read() (frame.Frame, error) { select {} }
func (h *host) Write(f frame.Frame) error  { h.got = append(h.got, f.Clone()); return nil }
func (h *host) Close() error               { return nil }

func (u *underlay) machine(t *testing.T, local netip.Addr, c vxlan.Config) *machine {
	m := &machine{t: t, tracer: new(trace.Tracer), host: &host{}, ring: trace.NewRing(1000, 1<<20, 0)}
	m.tracer.Attach(m.ring)
	m.sw = vswitch.New(vswitch.Config{Name: "br0", Tracer: m.tracer, Epoch: epoch})
	m.end = vxlan.NewEndpoint(vxlan.EndpointConfig{Local: netip.AddrPortFrom(local, vxlan.DefaultPort), Socket: socket{u, local}, Tracer: m.tracer})
	c.Where, c.Name, c.Epoch, c.VNI = "br0", "vx0", epoch, 42
	link, err := m.end.NewLink(c)
	if err != nil {
		t.Fatal(err)
	}
	m.link = link
	if m.tunnel, err = m.sw.Attach("vx0", link, vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true}); err != nil {
		t.Fatal(err)
	}
	if err := link.Push(m.tunnel.Carry); err != nil {
		t.Fatal(err)
	}
	if m.port, err = m.sw.Attach("HOST", m.host, vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true}); err != nil {
		t.Fatal(err)
	}
	u.ends[local] = m.end
	return m
}

// two is two machines that know each other.
func two(t *testing.T) (u *underlay, a, b *machine) {
	u = &underlay{ends: map[netip.Addr]*vxlan.Endpoint{}}
	a = u.machine(t, here, vxlan.Config{Peers: []netip.Addr{there}, Learning: true})
	b = u.machine(t, there, vxlan.Config{Peers: []netip.Addr{here}, Learning: true})
	return u, a, b
}

func (m *machine) send(f frame.Frame) { m.sw.Input(m.port, f, epoch) }

// steps returns what the trace says, without what else the switch does.
func (m *machine) steps() (lines []string) {
	var e trace.Event
	for {
		if _, ok := m.ring.TryNext(&e); !ok {
			return lines
		}
		if e.Hook == trace.Encap || e.Hook == trace.Decap {
			lines = append(lines, fmt.Sprintf("%v %v %s", e.Hook, e.Verdict, e.Text(trace.English)))
		}
	}
}

// reasons returns why frames were dropped.
func (m *machine) reasons() (all []trace.Reason) {
	for _, r := range trace.Reasons() {
		for range m.tracer.Drops(r) {
			all = append(all, r)
		}
	}
	return all
}

func ethernet(dst, src frame.MAC, payload int) frame.Frame {
	b := make([]byte, frame.EthernetHeader+payload)
	frame.Ethernet(b).SetHeader(dst, src, 0x88b5)
	return frame.Frame{Data: b}
}

func datagram(tos uint8) frame.Frame {
	f := ethernet(blue, red, 28)
	e := frame.Ethernet(f.Data)
	e.SetHeader(blue, red, frame.TypeIPv4)
	ip := frame.PutIPv4(e.Payload(), frame.ProtoUDP, 64, 0, redIP, blueIP)
	ip.SetTOS(tos)
	ip.SetChecksum()
	frame.PutUDP(ip.Payload(), 1000, 2000).SetChecksum(redIP, blueIP)
	return f
}

// stream is a super-frame of TCP.
func stream(payload, segment int) frame.Frame {
	f := ethernet(blue, red, 40+payload)
	e := frame.Ethernet(f.Data)
	e.SetHeader(blue, red, frame.TypeIPv4)
	ip := frame.PutIPv4(e.Payload(), frame.ProtoTCP, 64, 7, redIP, blueIP)
	ip.SetFragment(true, false, 0)
	ip.SetChecksum()
	for i := range payload {
		ip[40+i] = byte(i * 7)
	}
	frame.PutTCP(ip.Payload(), frame.TCPFields{SrcPort: 1000, DstPort: 80, Seq: 5, Ack: 9, Flags: frame.ACK | frame.PSH, Window: 100})
	t := frame.TCP(ip.Payload())
	binary.BigEndian.PutUint16(t[frame.TCPChecksum:], fold(frame.PseudoHeader(frame.ProtoTCP, redIP, blueIP, len(t))))
	f.Offload = frame.Offload{NeedsChecksum: true, GSO: frame.GSOTCPv4, GSOSize: uint16(segment), HeaderLen: 54, ChecksumStart: 34, ChecksumOffset: frame.TCPChecksum}
	return f
}

func fold(sum uint32) uint16 {
	sum = sum>>16 + sum&0xffff
	return uint16(sum>>16 + sum&0xffff)
}

func TestThereAndBack(t *testing.T) {
	u, a, b := two(t)
	a.send(ethernet(blue, red, 50))
	if len(b.host.got) != 1 || !bytes.Equal(b.host.got[0].Data, ethernet(blue, red, 50).Data) {
		t.Fatalf("got %v", b.host.got)
	}
	b.send(ethernet(red, blue, 60))
	a.send(ethernet(blue, red, 70))
	if len(a.host.got) != 1 || len(b.host.got) != 2 {
		t.Fatalf("got %d and %d frames", len(a.host.got), len(b.host.got))
	}
	first := u.sent[0]
	if want := []byte{8, 0, 0, 0, 0, 0, 42, 0}; !bytes.Equal(first.data[:8], want) || first.to != netip.AddrPortFrom(there, 4789) {
		t.Errorf("sent % x to %v", first.data[:8], first.to)
	}
	want := []string{
		"encap accept in UDP 192.168.50.1:500N > 192.168.50.2:4789, VNI 42; to the one peer: nobody knows 02:00:00:00:00:02", // TunnelFlood
		"decap accept in UDP 192.168.50.2:500N > 192.168.50.1:4789, VNI 42; 02:00:00:00:00:02 lives behind 192.168.50.2",     // TunnelNew
		"encap accept in UDP 192.168.50.1:500N > 192.168.50.2:4789, VNI 42; 02:00:00:00:00:02 was learned from 192.168.50.2 just now",
	}
	if got := masked(a.steps()); !slices.Equal(got, want) {
		t.Errorf("trace:\n%s", strings.Join(got, "\n"))
	}
	said := b.steps()
	if last := said[len(said)-1]; !strings.Contains(last, "as is known") {
		t.Errorf("a known station: %s", last)
	}
}

// masked hides the port that the flow's hash has chosen.
func masked(lines []string) []string {
	for i, line := range lines {
		at := strings.Index(line, ":500")
		end := at + 4
		for end < len(line) && line[end] >= '0' && line[end] <= '9' {
			end++
		}
		lines[i] = line[:at+4] + "N" + line[end:]
	}
	return lines
}

func TestNotesOfArrivals(t *testing.T) {
	for _, c := range []struct {
		note trace.Note
		text string
		make func(m *machine)
	}{
		{trace.TunnelNew, "lives behind 192.168.50.2", func(m *machine) {}},
		{trace.TunnelHeard, "as is known", func(m *machine) { m.arrive(there, 8, 42, 0, ethernet(blue, red, 50)) }},
		{trace.TunnelMoved, "has moved from 192.168.50.3 to 192.168.50.2", func(m *machine) { m.arrive(third, 8, 42, 0, ethernet(blue, red, 50)) }},
		{trace.TunnelStatic, "as configured", func(m *machine) { m.set(red, there) }},
		{trace.TunnelFull, "the table is full", func(m *machine) { m.arrive(there, 8, 42, 0, ethernet(blue, frame.MAC{2, 9}, 50)) }},
	} {
		u := &underlay{ends: map[netip.Addr]*vxlan.Endpoint{}}
		m := u.machine(t, here, vxlan.Config{Peers: []netip.Addr{there, third}, Learning: true, MaxLearned: 1})
		c.make(m)
		m.steps()
		m.arrive(there, 8, 42, 0, ethernet(blue, red, 50))
		if got := m.steps(); len(got) != 1 || !strings.HasPrefix(got[0], "decap accept") || !strings.Contains(got[0], c.text) {
			t.Errorf("note %d: got %q, want %q", c.note, got, c.text)
		}
	}
}

func TestNotesOfDepartures(t *testing.T) {
	for _, c := range []struct {
		note trace.Note
		text string
		to   frame.MAC
		make func(m *machine)
	}{
		{trace.TunnelLearned, "02:00:00:00:00:02 was learned from 192.168.50.2", blue, func(m *machine) { m.arrive(there, 8, 42, 0, ethernet(red, blue, 50)) }},
		{trace.TunnelStatic, "02:00:00:00:00:02 is behind 192.168.50.3 as configured", blue, func(m *machine) { m.set(blue, third) }},
		{trace.TunnelFlood, "to the one peer: nobody knows 02:00:00:00:00:02", blue, func(m *machine) {}},
		{trace.TunnelFlood, "to the one peer: a broadcast", frame.Broadcast, func(m *machine) {}},
		{trace.TunnelFlood, "to the one peer: a frame to a group", frame.MAC{1, 0, 0x5e, 0, 0, 5}, func(m *machine) {}},
	} {
		_, a, _ := two(t)
		c.make(a)
		a.steps()
		a.send(ethernet(c.to, red, 50))
		if got := a.steps(); len(got) != 1 || !strings.Contains(got[0], c.text) {
			t.Errorf("note %d: got %q, want %q", c.note, got, c.text)
		}
	}
}

func (m *machine) set(mac frame.MAC, a netip.Addr) {
	if err := m.link.Set(mac, a, epoch); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) arrive(from netip.Addr, flags byte, vni uint32, tos uint8, f frame.Frame) {
	b := make([]byte, 8, 8+len(f.Data))
	b[0] = flags
	binary.BigEndian.PutUint32(b[4:], vni<<8|0xff) // bits that mean nothing
	m.end.Input(vxlan.Arrival{Data: append(b, f.Data...), From: netip.AddrPortFrom(from, 50001), TTL: 60, TOS: tos}, epoch)
	m.end.Flush(epoch)
}

// TestReasons provokes every reason of a tunnel.
func TestReasons(t *testing.T) {
	for _, c := range []struct {
		reason trace.Reason
		do     func(m *machine)
	}{
		{trace.NoReason, func(m *machine) { m.arrive(there, 0xff, 42, 0, ethernet(blue, red, 50)) }}, // other flags are ignored
		{trace.VXLANHeader, func(m *machine) { m.arrive(there, 0xf7, 42, 0, ethernet(blue, red, 50)) }},
		{trace.VXLANHeader, func(m *machine) {
			m.end.Input(vxlan.Arrival{Data: []byte{8, 0, 0, 0, 0, 0, 42}, From: netip.AddrPortFrom(there, 1)}, epoch)
		}},
		{trace.VXLANVNI, func(m *machine) { m.arrive(there, 8, 43, 0, ethernet(blue, red, 50)) }},
		{trace.VXLANPeer, func(m *machine) { m.arrive(third, 8, 42, 0, ethernet(blue, red, 50)) }},
		{trace.VXLANOwn, func(m *machine) { m.arrive(here, 8, 42, 0, ethernet(blue, red, 50)) }},
		{trace.TunnelECN, func(m *machine) { m.arrive(there, 8, 42, 3, datagram(0)) }},
		{trace.PktTooSmall, func(m *machine) { m.arrive(there, 8, 42, 0, frame.Frame{Data: make([]byte, 13)}) }},
		{trace.VXLANNoRemote, func(m *machine) { m.link.SetPeers(nil); m.send(ethernet(blue, red, 50)) }},
		{trace.SamePort, func(m *machine) { // split horizon: two machines that both are elsewhere
			m.arrive(there, 8, 42, 0, ethernet(red, blue, 50))
			m.host.got = nil
			m.arrive(there, 8, 42, 0, ethernet(blue, red, 50))
		}},
	} {
		_, a, _ := two(t)
		c.do(a)
		want := []trace.Reason{c.reason}
		if c.reason == trace.NoReason {
			want = nil
		}
		if got := a.reasons(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if passed := len(a.host.got) > 0; passed != (c.reason == trace.NoReason) {
			t.Errorf("%v: passed %v", c.reason, passed)
		}
	}
}

// TestDoesNotFit says how much would: the outer socket knows what the way takes.
func TestDoesNotFit(t *testing.T) {
	u, a, _ := two(t)
	u.refuse = trace.PktTooBig
	a.send(ethernet(blue, red, 1450))
	if got := a.reasons(); !slices.Equal(got, []trace.Reason{trace.PktTooBig}) {
		t.Fatalf("got %v", got)
	}
	if said := a.steps(); !strings.Contains(said[len(said)-1], "at most 1,400 bytes fit") {
		t.Errorf("said %q", said)
	}
	if c := a.tunnel.Counters(); c.TxFrames != 0 || c.TxDropped != 1 {
		t.Errorf("counters %+v", c)
	}
}

// TestSplitHorizon: what three machines flood reaches each once, and goes into no tunnel again.
func TestSplitHorizon(t *testing.T) {
	u := &underlay{ends: map[netip.Addr]*vxlan.Endpoint{}}
	all := []netip.Addr{here, there, third}
	var machines []*machine
	for i, a := range all {
		machines = append(machines, u.machine(t, a, vxlan.Config{Peers: slices.Delete(slices.Clone(all), i, i+1), Learning: true}))
	}
	machines[0].send(ethernet(frame.Broadcast, red, 50))
	for i, m := range machines {
		if got := len(m.host.got); got != map[bool]int{true: 0, false: 1}[i == 0] {
			t.Errorf("machine %d got %d", i, got)
		}
	}
	if len(u.sent) != 2 {
		t.Errorf("%d packets were sent", len(u.sent))
	}
}

// TestSuperFrame: a super-frame travels in segments, each in a packet of its own, and is one again.
func TestSuperFrame(t *testing.T) {
	for _, payload := range []int{1400*3 + 17, 1400 * 45, 1400*2 + 1, 1400 + 1} {
		u, a, b := two(t)
		want := stream(payload, 1400)
		a.send(want)
		packets := 0
		for _, s := range u.sent {
			packets += (len(s.data) + s.size - 1) / s.size
			if s.size != 8+54+1400 || len(s.data) > vxlan.MaxBytes {
				t.Errorf("%d bytes in packets of %d", len(s.data), s.size)
			}
		}
		if packets != (payload+1399)/1400 {
			t.Errorf("%d packets for %d bytes", packets, payload)
		}
		if len(b.host.got) != len(u.sent) { // what was sent at once is one frame again
			t.Errorf("%d frames of %d arrivals", len(b.host.got), len(u.sent))
		}
		var got []byte
		for _, f := range b.host.got {
			if len(b.host.got) == 1 && !bytes.Equal(f.Data, want.Data) {
				t.Error("the frame is another one")
			}
			scratch := make([]byte, f.Offload.WireLength(len(f.Data)))
			pieces, ok := frame.Segment(f, scratch)
			if !ok {
				t.Fatal("no super-frame")
			}
			for one, more := pieces.Next(); more; one, more = pieces.Next() {
				ip, err := frame.ParseIPv4(one.Data[14:])
				if err != nil || !ip.ChecksumOK() || !frame.TCP(ip.Payload()).ChecksumOK(redIP, blueIP) {
					t.Fatal("a segment is damaged")
				}
				got = append(got, frame.TCP(ip.Payload()).Payload()...)
			}
		}
		if !bytes.Equal(got, want.Data[54:]) {
			t.Errorf("%d bytes of payload became %d, or others", payload, len(got))
		}
	}
}

// TestDamagedSegmentsStayAlone: nothing is hidden in a super-frame, whose segments all get right checksums.
func TestDamagedSegmentsStayAlone(t *testing.T) {
	u, a, b := two(t)
	a.send(stream(1400*4, 1400))
	b.host.got = nil
	s := u.sent[0]
	s.data[s.size+8+100]++
	b.end.Input(vxlan.Arrival{Data: s.data, Size: s.size, From: netip.AddrPortFrom(here, 50001)}, epoch)
	b.end.Flush(epoch)
	damaged := 0
	for _, f := range b.host.got {
		if ip, err := frame.ParseIPv4(f.Data[14:]); err == nil && !f.Unfinished() && !frame.TCP(ip.Payload()).ChecksumOK(redIP, blueIP) {
			damaged++
		}
	}
	if damaged != 1 || len(b.host.got) < 2 {
		t.Errorf("%d of %d frames are damaged", damaged, len(b.host.got))
	}
}

func TestCongestion(t *testing.T) {
	for _, c := range []struct{ inner, router, outer, want uint8 }{
		{0, 0, 0, 0}, {2, 0, 2, 2}, {1, 0, 1, 1}, {3, 0, 3, 3}, {2, 3, 2, 3}, {1, 3, 1, 3}, {0xb8 | 2, 0, 2, 0xb8 | 2}, {0xb8 | 2, 3, 2, 0xb8 | 3},
	} {
		u, a, b := two(t)
		u.tos = c.router
		a.send(datagram(c.inner))
		if u.sent[0].tos != c.outer {
			t.Errorf("%+v: the outer one has %#x", c, u.sent[0].tos)
		}
		ip, err := frame.ParseIPv4(b.host.got[0].Data[14:])
		if err != nil || ip.TOS() != c.want || !ip.ChecksumOK() {
			t.Errorf("%+v: got %#x, checksum %v", c, ip.TOS(), ip.ChecksumOK())
		}
	}
}

// TestTable: configured stations stay, learned ones age, and go with their peer.
func TestTable(t *testing.T) {
	_, a, _ := two(t)
	a.set(blue, third)
	a.arrive(there, 8, 42, 0, ethernet(blue, red, 50))
	if got := fmt.Sprint(a.link.Entries(epoch)); got != fmt.Sprint([]vxlan.Entry{{Remote: there, Static: true}, {MAC: red, Remote: there}, {MAC: blue, Remote: third, Static: true}}) {
		t.Errorf("got %v", got)
	}
	if rows := a.link.Entries(epoch.Add(vxlan.DefaultAgeing)); len(rows) != 2 {
		t.Errorf("nothing has aged: %v", rows)
	}
	a.arrive(third, 8, 42, 0, ethernet(blue, red, 50)) // who is named by an entry is believed
	a.link.SetPeers([]netip.Addr{here})
	if rows := a.link.Entries(epoch); len(rows) != 3 {
		t.Errorf("got %v", rows)
	}
	if err := a.link.Remove(blue, third); err != nil || len(a.link.Entries(epoch)) != 1 {
		t.Errorf("%v: got %v", err, a.link.Entries(epoch))
	}
	if a.link.Remove(blue, third) == nil || a.link.Set(frame.Broadcast, third, epoch) == nil {
		t.Error("what cannot be was done")
	}
}

func TestTableIsBounded(t *testing.T) {
	u := &underlay{ends: map[netip.Addr]*vxlan.Endpoint{}}
	m := u.machine(t, here, vxlan.Config{Peers: []netip.Addr{there}, Learning: true, MaxLearned: 100})
	for i := range 1000 {
		m.link.Fork(m.end) // shares nothing
		m.arrive(there, 8, 42, 0, ethernet(blue, frame.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}, 50))
	}
	if n := len(m.link.Entries(epoch)); n != 101 {
		t.Errorf("%d entries", n)
	}
	later := epoch.Add(2 * time.Second)
	b := append([]byte{8, 0, 0, 0, 0, 0, 42, 0}, ethernet(blue, red, 50).Data...)
	m.end.Input(vxlan.Arrival{Data: b, From: netip.AddrPortFrom(there, 1)}, later)
	m.end.Flush(later)
	if rows := m.link.Entries(later); len(rows) != 101 || !slices.ContainsFunc(rows, func(e vxlan.Entry) bool { return e.MAC == red }) {
		t.Error("a new station has not taken the place of a silent one")
	}
}

// TestNothingIsToldUnderALock: whoever holds a frame at the step into the tunnel keeps nobody from the tables.
func TestNothingIsToldUnderALock(t *testing.T) {
	_, a, _ := two(t)
	stepper := trace.NewStepper(trace.StepperConfig{Max: 10, Patience: time.Hour, Now: time.Now})
	a.tracer.AttachStepper(stepper)
	a.send(ethernet(blue, red, 50))
	for {
		stop, err := stepper.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stop.Kind == trace.Stepped && stop.Event.Hook == trace.Encap {
			a.set(blue, third)
			a.link.SetPeers([]netip.Addr{there})
			if err := a.link.Remove(blue, third); err != nil || len(a.link.Entries(epoch)) != 1 {
				t.Error(err, a.link.Entries(epoch))
			}
			a.tracer.DetachStepper(stepper) // the frame goes on
			_ = stepper.Go(stop.Leg)
			break
		}
		_ = stepper.Go(stop.Leg)
	}
}

func TestOneNetworkAVNI(t *testing.T) {
	_, a, _ := two(t)
	other, err := a.end.NewLink(vxlan.Config{VNI: 42, Name: "vx1", Epoch: epoch})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Push(func(frame.Frame, time.Time) {}); err == nil || !strings.Contains(err.Error(), "vx0") {
		t.Errorf("got %v", err)
	}
	if err := a.sw.Detach(a.tunnel); err != nil {
		t.Fatal(err)
	}
	if err := other.Push(func(frame.Frame, time.Time) {}); err != nil {
		t.Error(err)
	}
	if _, err := a.end.NewLink(vxlan.Config{VNI: 1 << 24}); err == nil {
		t.Error("a VNI has 24 bits")
	}
}

// TestNothingIsAllocated on the way of a frame while nobody listens, dropped ones included.
func TestNothingIsAllocated(t *testing.T) {
	u, a, _ := two(t)
	a.tracer.Detach(a.ring)
	a.arrive(there, 8, 42, 0, ethernet(red, blue, 50))
	u.quiet = true
	small, super := datagram(0), stream(1400*40, 1400)
	a.sw.Input(a.port, small, epoch)
	arrival := append([]byte{8, 0, 0, 0, 0, 0, 42, 0}, ethernet(red, blue, 50).Data...)
	foreign := append([]byte{8, 0, 0, 0, 0, 0, 43, 0}, ethernet(red, blue, 50).Data...)
	if err := a.sw.SetStatic(red, a.port, true); err != nil {
		t.Fatal(err)
	}
	a.host.got = make([]frame.Frame, 0, 10)
	from := netip.AddrPortFrom(there, 1)
	if n := testing.AllocsPerRun(200, func() {
		a.sw.Input(a.port, small, epoch)
		a.sw.Input(a.port, super, epoch)
		a.end.Input(vxlan.Arrival{Data: foreign, From: from}, epoch)
	}); n > 0 {
		t.Errorf("%v allocations a frame out", n)
	}
	if err := a.sw.Detach(a.port); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(200, func() { a.end.Input(vxlan.Arrival{Data: arrival, From: from}, epoch); a.end.Flush(epoch) }); n > 0 {
		t.Errorf("%v allocations a frame in", n)
	}
}

// FuzzInput: whatever arrives, nothing panics, and what goes in is a frame or has a reason.
func FuzzInput(f *testing.F) {
	f.Add([]byte{8, 0, 0, 0, 0, 0, 42, 0}, uint16(0), uint8(3))
	f.Add(append([]byte{8, 0, 0, 0, 0, 0, 42, 0}, datagram(2).Data...), uint16(50), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint16, tos uint8) {
		_, a, _ := two(t)
		a.end.Input(vxlan.Arrival{Data: b, Size: int(size), From: netip.AddrPortFrom(there, 1), TOS: tos}, epoch)
		a.end.Flush(epoch)
	})
}

func TestRandomArrivals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	u, a, b := two(t)
	a.send(stream(1400*5, 1400))
	seed := u.sent[0]
	for range 2000 {
		data := bytes.Clone(seed.data)
		for range r.IntN(4) {
			data[r.IntN(len(data))] = byte(r.IntN(256))
		}
		b.host.got = nil
		b.end.Input(vxlan.Arrival{Data: data[:r.IntN(len(data)+1)], Size: seed.size, From: netip.AddrPortFrom(here, 1), TOS: byte(r.IntN(4))}, epoch)
		b.end.Flush(epoch)
		for _, f := range b.host.got {
			if !f.Offload.Valid(len(f.Data)) {
				t.Fatal("a frame that asks for what cannot be")
			}
		}
	}
}
