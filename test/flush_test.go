package test

import (
	"strings"
	"testing"
)

// tool types the same words at the host's programs on a kernel, and at uswitch's elsewhere.
func (s *site) tool(line string) string {
	s.t.Helper()
	if s.way == byKernel {
		return s.exec("HOST", strings.Fields(line)...)
	}
	return s.tell(strings.Fields(line)...)
}

// TestTablesFlushedUnderTraffic: what a switch and a gateway have learned is forgotten again and again while streams and
// pings go through them: bridged, to the gateway, and translated. Beside it the same on the kernel's bridge. Nothing is lost
// in either, and both have learned all of it again.
//
//	RED -- br0 -- BLUE        streams: BLUE to RED, NET to RED, NET to WEB
//	        |
//	     gateway -- br1 -- WEB
//	        |
//	       NET
func TestTablesFlushedUnderTraffic(t *testing.T) {
	needs(t, "socat", "nsenter", "ss", "bridge", "iptables-restore")
	t.Parallel()
	lab := startSite(t, byHost, gatewayLab)
	rules := lab.tell("iptables-save")
	for way, start := range map[string]func(*testing.T) *site{
		byHost: func(*testing.T) *site { return lab }, byKernel: func(t *testing.T) *site { return newKernel(t, rules) },
	} {
		t.Run(way, func(t *testing.T) {
			s := start(t)
			s.ticking("NET", "81")
			s.ticking("NET", "82")
			s.ticking("BLUE", "83")
			streams := []*process{}
			for _, from := range []struct{ host, to string }{{"RED", netIP + ":81"}, {"WEB", netIP + ":82"}, {"RED", blueIP + ":83"}} {
				streams = append(streams, begin(t, s.in(from.host, "socat", "-u", "TCP:"+from.to, "STDOUT")...))
			}
			more := func(what string) {
				t.Helper()
				for _, stream := range streams {
					n := stream.stdout.count()
					eventually(t, "the stream goes on "+what, func() bool { return stream.stdout.count() > n+3 })
				}
			}
			more("at first")
			probes := []*probe{s.probe("RED", blueIP), s.probe("RED", gatewayIP), s.probe("BLUE", netIP)}
			for range 5 {
				for _, line := range []string{
					// Without nopermanent the kernel forgets the bridge's own address, too, and its gateway is gone.
					"bridge fdb flush dev br0 nopermanent", "bridge fdb flush dev br1 dynamic", "ip neigh flush dev br0", "ip neigh flush all",
				} {
					s.tool(line)
				}
				more("behind a flush")
			}
			for _, p := range probes {
				p.lostNothing()
			}
			if s == lab {
				learned := len(s.events(func(e event) bool { return e.Hook == "learn" && e.SrcMAC == redMAC }))
				asked := len(s.events(func(e event) bool {
					return e.Hook == "neighbor" && e.Verdict == "queue" && strings.Contains(e.Text, redIP)
				}))
				if learned < 6 || asked == 0 {
					t.Errorf("RED was learned %d times and asked for %d times: the flushes have flushed nothing", learned, asked)
				}
			}
			for bridge, hosts := range map[string]int{"br0": 2, "br1": 1} {
				eventually(t, "all of "+bridge+" is learned again", func() bool {
					rows := s.tool("bridge fdb show br " + bridge + " dynamic")
					return strings.Count(rows, "\n") >= hosts && strings.Contains(s.tool("ip neigh show dev "+bridge), "lladdr")
				})
			}
		})
	}
}
