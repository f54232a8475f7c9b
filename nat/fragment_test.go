package nat_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// whole is an echo request to the gateway of 8 + 72 bytes: ten fragments of 8. Its answer proves the reassembly.
func whole() frame.IPv4 { return echo("11.11.11.2", "11.11.11.1", 7, strings.Repeat("abcdefgh", 9)) }

const wholeAnswer = "echo-reply 11.11.11.1 > 11.11.11.2 ttl 64 id 7 +72"

func TestG12Reassembly(t *testing.T) {
	all := cut(whole(), 16) // 0..16, 16..32, 32..48, 48..64, 64..80
	piece := func(start, end int, more bool) []byte { return fragment(whole(), start, end, more) }
	for name, c := range map[string]struct {
		send [][]byte
		want bool
		bad  uint64
	}{
		"in order":                     {all, true, 0},
		"backwards":                    {[][]byte{all[4], all[3], all[2], all[1], all[0]}, true, 0},
		"mixed":                        {[][]byte{all[2], all[4], all[0], all[3], all[1]}, true, 0},
		"first last":                   {[][]byte{all[1], all[2], all[3], all[4], all[0]}, true, 0},
		"duplicates":                   {[][]byte{all[0], all[0], all[1], all[1], all[3], all[2], all[2], all[4]}, true, 0},
		"a gap":                        {[][]byte{all[0], all[1], all[3], all[4]}, false, 0},
		"without an end":               {all[:4], false, 0},
		"overlap from below":           {[][]byte{all[0], piece(8, 24, true), all[2], all[3], all[4], all[1]}, false, 6},
		"overlap from above":           {[][]byte{all[1], piece(8, 24, true), all[0], all[2], all[3], all[4]}, false, 6},
		"overlap around":               {[][]byte{all[2], piece(16, 64, true), all[0], all[1], all[3], all[4]}, false, 6},
		"same start, other end":        {[][]byte{all[0], piece(0, 24, true), all[1], all[2], all[3], all[4]}, false, 6},
		"two ends":                     {[][]byte{all[4], piece(48, 56, false), all[0], all[1], all[2], all[3]}, false, 6},
		"behind the end":               {[][]byte{piece(16, 32, false), all[3], all[0], all[1], all[2], all[4]}, false, 6},
		"end before what is there":     {[][]byte{all[3], piece(16, 32, false), all[0], all[1], all[2], all[4]}, false, 6},
		"a middle of 12 bytes":         {[][]byte{piece(0, 12, true), all[1], all[2], all[3], all[4]}, false, 5},
		"an empty fragment":            {[][]byte{piece(16, 16, true), all[0], all[1], all[2], all[3], all[4]}, false, 6},
		"tiny first, whole afterwards": {[][]byte{piece(0, 8, true), piece(8, 80, false)}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.red.send(c.send...)
			if c.want {
				l.want(l.br0, wholeAnswer)
			} else {
				l.want(l.br0)
			}
			l.drops(trace.FragBad, c.bad)
		})
	}
}

// TestCutPacketWaits: the pieces of one packet wait for one neighbour, and their steps count on together.
func TestCutPacketWaits(t *testing.T) {
	l := newLab(t)
	l.add(nat.InterfaceConfig{Name: "narrow", Addr: netip.MustParsePrefix("33.33.33.1/24"), MAC: gatewayMAC, MTU: 500, Segment: &wire{lab: l}})
	narrow, _ := l.Interface("narrow")
	l.listen()
	l.red.send(echo("11.11.11.2", "33.33.33.3", 7, strings.Repeat("x", 1000)))
	mac := frame.MAC{2, 0, 0, 0, 0, 0x33}
	narrow.SetNeighbor(ip4("33.33.33.3"), mac, l.now)
	last, steps, queued, sent := uint32(0), trace.Event{}, 0, 0
	for _, ok := l.ring.TryNext(&steps); ok; _, ok = l.ring.TryNext(&steps) {
		if steps.Packet != 1 {
			continue
		}
		if steps.Hop != last+1 {
			t.Errorf("hop %d follows hop %d", steps.Hop, last)
		}
		last = steps.Hop
		switch {
		case steps.Verdict == trace.Queue:
			queued++
		case steps.Note == trace.NeighborSent:
			sent++
		}
	}
	if queued != 3 || sent != 3 {
		t.Errorf("%d pieces waited and %d went on, want 3", queued, sent)
	}
}

func TestG12PastTheEnd(t *testing.T) {
	l := newLab(t)
	end := fragment(whole(), 0, 80, false) // at 65528: would end at 65608
	frame.IPv4(end).SetFragment(false, false, 65528)
	frame.IPv4(end).SetChecksum()
	l.red.send(end)
	l.drops(trace.FragBad, 1)

	// The pieces fit a short header, but not the long one of the first fragment.
	l = newLab(t)
	big := echo("11.11.11.2", "11.11.11.1", 7, strings.Repeat("x", 65535-20-8))
	pieces := cut(big, 1400)
	pieces[0] = withOptions(pieces[0], 1, 1, 1, 1)
	l.red.send(pieces...)
	l.drops(trace.FragBad, uint64(len(pieces))) // each of them
	l.want(l.br0)
}

// TestEveryFragmentHasAnEnd sends fragments at random, whole and not, twice and not, overlapping and not: each is part of a
// packet in the end, or a drop that is counted.
func TestEveryFragmentHasAnEnd(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := newLabWith(t, nat.Config{FragmentMemory: 16 << 10})
		l.listen()
		sent, together := uint64(0), uint64(0)
		for id := range 100 {
			h, all := l.red, cut(whole(), 8+8*r.IntN(5))
			if r.IntN(3) == 0 {
				h, all = l.pink, cut(echo("11.11.11.3", "11.11.11.1", 7, strings.Repeat("12345678", 9)), 16)
			}
			if r.IntN(4) == 0 {
				all[r.IntN(len(all))] = fragment(whole(), 8+8*r.IntN(4), 48, r.IntN(2) == 0)
			}
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, f := range all[:len(all)-r.IntN(2)] {
				f[5] = byte(id)
				frame.IPv4(f).SetChecksum()
				for range 1 + r.IntN(8)/7 {
					h.send(f)
					sent++
				}
			}
			var e trace.Event
			for _, ok := l.ring.TryNext(&e); ok; _, ok = l.ring.TryNext(&e) {
				if e.Note == trace.Reassembled {
					together += uint64(e.Count)
				}
			}
			if r.IntN(20) == 0 {
				l.advance(10 * time.Second)
			}
		}
		l.advance(time.Minute)
		ends := l.tracer.Drops(trace.FragBad) + l.tracer.Drops(trace.FragDuplicate) + l.tracer.Drops(trace.FragNoMem) + l.tracer.Drops(trace.FragTimeout) + together
		if ends != sent {
			t.Errorf("seed %d: %d fragments were sent, and %d have an end", seed, sent, ends)
		}
	}
}

func TestLostFragmentsAreCountedEach(t *testing.T) {
	l := newLab(t)
	l.listen()
	l.red.send(cut(whole(), 16)[1:4]...) // the first is lost, and the last
	l.advance(31 * time.Second)
	l.drops(trace.FragTimeout, 3)
	l.want(l.br0)
	l.trace(t, "1.1 prerouting queue fragment-held", "2.1 prerouting queue fragment-held", "3.1 prerouting queue fragment-held",
		"1.2 prerouting drop frag-reasm-timeout", "2.2 prerouting drop frag-reasm-timeout", "3.2 prerouting drop frag-reasm-timeout")
}

func TestFragmentsOfOneHostLeaveRoomForOthers(t *testing.T) {
	l := newLabWith(t, nat.Config{FragmentMemory: 32 << 10})
	half := cut(echo("11.11.11.3", "11.11.11.1", 7, strings.Repeat("12345678", 9)), 40)
	l.pink.send(half[0])
	for id := range 1000 {
		f := cut(whole(), 40)[0]
		f[4], f[5] = byte(id>>8), byte(id)
		frame.IPv4(f).SetChecksum()
		l.red.send(f)
	}
	l.pink.send(half[1])
	l.want(l.br0, "echo-reply 11.11.11.1 > 11.11.11.3 ttl 64 id 7 +72")
}

func TestG12SourcesNeverMix(t *testing.T) {
	l := newLab(t)
	red, pink := cut(whole(), 40), cut(echo("11.11.11.3", "11.11.11.1", 7, strings.Repeat("12345678", 9)), 40)
	l.red.send(red[0])
	l.pink.send(pink[1])
	l.want(l.br0)
	l.red.send(red[1])
	l.pink.send(pink[0])
	l.want(l.br0, wholeAnswer, "echo-reply 11.11.11.1 > 11.11.11.3 ttl 64 id 7 +72")

	// Nor ids, nor protocols, nor destinations.
	other := func(change func(frame.IPv4)) []byte {
		b := append([]byte(nil), red[1]...)
		change(b)
		frame.IPv4(b).SetChecksum()
		return b
	}
	l.red.send(red[0], other(func(p frame.IPv4) { p[5]++ }), other(func(p frame.IPv4) { p[9] = 17 }), other(func(p frame.IPv4) { p[19]++ }))
	l.want(l.br0)
}

func TestG12Timeout(t *testing.T) {
	l := newLab(t)
	all := cut(whole(), 40)
	l.red.send(all[0])
	l.advance(29 * time.Second)
	l.want(l.br0)
	l.advance(2 * time.Second)
	l.drops(trace.FragTimeout, 1)
	got := l.br0.raw()
	if len(got) != 1 || !strings.HasPrefix(read(t, got[0]), "icmp 11/1 11.11.11.1 > 11.11.11.2 ttl 64") {
		t.Fatalf("after 31 s: %x", got)
	}
	if quote := got[0][28:]; !slices.Equal(quote, all[0]) {
		t.Errorf("quoted %x, want the first fragment %x", quote, all[0])
	}
	l.red.send(all[1]) // too late, and no longer a packet together
	l.want(l.br0)
	l.advance(31 * time.Second)
	l.want(l.br0) // without a first fragment nothing is said

	// In time, at the last moment.
	l.red.send(all[0])
	l.advance(29 * time.Second)
	l.red.send(all[1])
	l.want(l.br0, wholeAnswer)
}

func TestG12TimeoutIsTraced(t *testing.T) {
	l := newLab(t)
	l.listen()
	l.red.send(cut(whole(), 40)[0])
	l.advance(31 * time.Second)
	l.trace(t, "1.1 prerouting queue fragment-held", "1.2 prerouting drop frag-reasm-timeout",
		"2.1 output accept error-sent", "2.2 route accept connected", "2.3 output accept -P OUTPUT ACCEPT", "2.4 neighbor accept known")
}

func TestF27MemoryIsBounded(t *testing.T) {
	l := newLab(t)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	// Trains that cost the attacker 28 bytes each, and name an end that is far away.
	tail := fragment(whole(), 0, 8, true)
	for i := range 100_000 {
		f := frame.IPv4(append([]byte(nil), tail...))
		f[4], f[5] = byte(i>>8), byte(i)
		copy(f[16:20], []byte{8, 8, 8, byte(i >> 16)})
		f.SetFragment(false, true, 65000)
		f.SetChecksum()
		l.red.send(f)
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("100,000 fragments hold %d KiB", grown>>10)
	}
	// A packet that comes now still gets through.
	l.pink.send(cut(echo("11.11.11.3", "11.11.11.1", 7, strings.Repeat("12345678", 9)), 40)...)
	l.want(l.br0, "echo-reply 11.11.11.1 > 11.11.11.3 ttl 64 id 7 +72")
	// Bad trains are remembered, and bounded too.
	empty := fragment(whole(), 8, 8, true)
	for i := range 100_000 {
		f := frame.IPv4(append([]byte(nil), empty...))
		f[4], f[5] = byte(i>>8), byte(i)
		copy(f[16:20], []byte{9, 9, 9, byte(i >> 16)})
		f.SetChecksum()
		l.red.send(f)
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("after 100,000 bad fragments: %d KiB", grown>>10)
	}
	l.advance(31 * time.Second)
	if grown := int64(heap()) - int64(before); grown > 3<<20 {
		t.Errorf("half a minute later: %d KiB", grown>>10)
	}
}

func TestG12AnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		l := newLab(t, masquerade)
		data := make([]byte, 1+random.IntN(4000))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		sent := udp("11.11.11.2:1818", "8.8.8.8:53", string(data))
		pieces := cut(sent, 8*(1+random.IntN(40)))
		random.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		l.red.send(pieces...)
		got := reassembled(t, l.wan.raw())
		if want := fmt.Sprintf("udp 192.0.2.2:1818 > 8.8.8.8:53 ttl 63%s", describeData(data)); read(t, got) != want {
			t.Fatalf("%s, want %s", read(t, got), want)
		}
		if !slices.Equal(got[28:], data) {
			t.Fatal("the data changed on the way")
		}
	}
}
