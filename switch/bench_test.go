package vswitch_test

import (
	"testing"

	"uswitch/switch/frame"
)

// BenchmarkInput measures one frame through the switch into links that cost nothing.
func BenchmarkInput(b *testing.B) {
	for _, traced := range []string{"off", "ring"} {
		for name, f := range map[string]frame.Frame{
			"unicast64":   frameOf(host(2), host(1), 64),
			"unicast1514": frameOf(host(2), host(1), 1514),
			"flood64":     frameOf(frame.Broadcast, host(1), 64),
		} {
			b.Run(name+"/trace="+traced, func(b *testing.B) {
				s, ports := bare(b, traced, 5)
				b.SetBytes(int64(len(f.Data)))
				b.ReportAllocs()
				for b.Loop() {
					s.Input(ports[0], f, epoch)
				}
			})
		}
	}
}

// BenchmarkLookup measures a frame from the gateway to one of 100,000 known stations.
func BenchmarkLookup(b *testing.B) {
	const stations = 100_000
	s, ports := bare(b, "off", 5)
	s.FDB().SetMaxLearned(stations)
	for i := range stations {
		s.Input(ports[i%5], frameOf(nearest, host(i+1), 60), epoch)
	}
	f := frameOf(host(1), gateway, 64)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = (n + 7919) % stations
		frame.Ethernet(f.Data).SetHeader(host(n+1), gateway, frame.TypeIPv4)
		s.Output(f, nil, epoch)
	}
}

// BenchmarkMACFlood measures a new source address each time in a full table: an eviction a frame.
func BenchmarkMACFlood(b *testing.B) {
	s, ports := bare(b, "off", 2000)
	f := frameOf(nearest, host(1), 64)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		frame.Ethernet(f.Data).SetHeader(nearest, host(n), frame.TypeIPv4)
		s.Input(ports[n%7], f, epoch)
	}
}
