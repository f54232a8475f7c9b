package vswitch_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// FuzzInput sends frames from a script of bytes through a switch with all kinds of ports. Whatever they are: no panic, never
// back to the port they came from, one decision a frame, at most one copy a port, and the bytes as they were.
func FuzzInput(f *testing.F) {
	add := func(frames ...frame.Frame) {
		var script []byte
		for i, fr := range frames {
			script = append(append(script, byte(i), byte(len(fr.Data))), fr.Data...)
		}
		f.Add(script)
	}
	add(frameOf(frame.Broadcast, host(1), 60), frameOf(host(1), host(2), 60), frameOf(host(2), host(1), 14))
	add(frameOf(nearest, host(1), 60), frameOf(group, host(1), 200), frameOf(gateway, host(1), 60))
	add(frameOf(host(1), group, 60), frame.Frame{Data: make([]byte, 13)}, frameOf(host(9), gateway, 42), frameOf(host(1), host(1), 42))
	add(tagged(routerAdvert(), frame.TypeIPv6), tagged(cut(advert(blue6, host(3)), 0, 8, true), frame.TypeIPv6, 0x8100), tagged(ipv4(68, 0), frame.TypeIPv4))
	f.Fuzz(func(t *testing.T, script []byte) {
		l := newLab(t, vswitch.Config{MaxLearned: 3}, "ordinary", "static", "isolated1", "isolated2", "deaf", "small", "broken")
		l.set("isolated1", func(k *vswitch.PortFlags) { k.Isolated = true })
		l.set("isolated2", func(k *vswitch.PortFlags) { k.Isolated, k.StormLimit = true, 2 })
		l.set("deaf", func(k *vswitch.PortFlags) { *k = vswitch.PortFlags{} })
		l.set("small", func(k *vswitch.PortFlags) { k.DHCPGuard = true })
		l.Assign(l.ports["static"], host(3), blue6)
		l.set("small", func(k *vswitch.PortFlags) { k.MTU = 40 })
		l.links["broken"].err = frame.ErrLinkFull
		if err := l.SetStatic(host(3), l.ports["static"], false); err != nil {
			t.Fatal(err)
		}
		ring := trace.NewRing(64, 1<<13, 0)
		l.tracer.Attach(ring)
		for len(script) >= 2 {
			from, length := int(script[0]&15), min(int(script[1]), len(script)-2)
			fr := frame.Frame{Data: script[2 : 2+length]}
			if script[0]&16 != 0 && length > 4 {
				fr.Offload = frame.Offload{NeedsChecksum: true, GSO: frame.GSO(fr.Data[0] & 7), GSOSize: uint16(fr.Data[1]),
					HeaderLen: uint16(fr.Data[2]), ChecksumStart: uint16(fr.Data[3]), ChecksumOffset: uint16(fr.Data[4])}
			}
			script = script[2+length:]
			l.pass(time.Duration(length) * time.Second)
			fuzzOne(t, l, ring, from, fr)
		}
	})
}

func fuzzOne(t *testing.T, l *lab, ring *trace.Ring, from int, f frame.Frame) {
	name := "gateway"
	if from < len(l.names) {
		name = l.names[from]
	}
	before := bytes.Clone(f.Data)
	sent := f
	sent.Data = bytes.Clone(f.Data)
	if name == "gateway" {
		j := l.tracer.Begin(l.now)
		l.Output(sent, j, l.now)
		j.End()
	} else {
		l.input(name, sent)
	}
	where := fmt.Sprintf("frame % x %+v from %s", before, f.Offload, name)
	if !bytes.Equal(sent.Data, before) {
		t.Fatalf("%s: the sender's buffer was changed", where)
	}

	copies, drops := 0, 0
	check := func(to string, got []frame.Frame) {
		if len(got) > 1 || len(got) == 1 && to == name {
			t.Fatalf("%s: %d copies to %s", where, len(got), to)
		}
		for _, g := range got {
			copies++
			if !bytes.Equal(g.Data, before) || g.Offload != f.Offload {
				t.Fatalf("%s: %s got % x %+v", where, to, g.Data, g.Offload)
			}
		}
	}
	for _, to := range l.names {
		check(to, l.links[to].take())
	}
	check("gateway", l.gateway.take())
	for _, r := range trace.Reasons() {
		drops += int(l.tracer.Drops(r) - l.drops[r])
		l.drops[r] = l.tracer.Drops(r)
	}

	var e trace.Event
	decisions, lost := 0, 0
	accepted, toLocal := 0, 0
	for hop := uint32(1); ; hop++ {
		if _, ok := ring.TryNext(&e); !ok {
			break
		}
		if e.Hop != hop || !bytes.Equal(e.Frame.Data, before) {
			t.Fatalf("%s: event %d has hop %d and frame % x", where, hop, e.Hop, e.Frame.Data)
		}
		switch {
		case e.Hook == trace.Egress && e.Verdict == trace.Drop:
			lost++
		case e.Hook == trace.Egress:
			accepted++
		case e.Hook == trace.Bridge || e.Verdict == trace.Drop:
			decisions++
		}
		if e.Verdict == trace.Local || e.Local {
			toLocal++
		}
		if (e.Verdict == trace.Drop) != (e.Reason != trace.NoReason) {
			t.Fatalf("%s: a drop has a reason, and nothing else has: %+v", where, e)
		}
		if e.Verdict == trace.Drop {
			drops--
		}
	}
	refused := decisions == 1 && accepted+lost+toLocal == 0
	if decisions != 1 || drops != 0 || refused != (copies+lost == 0) {
		t.Fatalf("%s: %d decisions, %d copies, %d copies lost, %d drops counted without an event", where, decisions, copies, lost, drops)
	}
}
