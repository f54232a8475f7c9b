package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// forge sends a frame of RED's whose source is a group, which the switch drops.
func (s *running) forge() {
	b := make([]byte, 60)
	frame.Ethernet(b).SetHeader(frame.MAC{2, 0x42, 11, 11, 11, 3}, frame.MAC{1, 0, 0x5e, 0, 0, 1}, frame.TypeIPv4)
	s.host.Device("RED eth0").Send(b)
}

// TestDropExamples: the last packet of a reason is known though nobody listened; the plain list stays as it is.
func TestDropExamples(t *testing.T) {
	s := start(t)
	s.Start()
	ctx := context.Background()
	s.forge()
	s.ask() // the first is through when this one is taken
	s.ask()
	for _, examples := range []bool{false, true} {
		q := url.Values{}
		if examples {
			q.Set("examples", "1")
		}
		var rows []api.Drop
		if err := s.Get(ctx, "/v1/drops", q, &rows); err != nil || len(rows) != 1 || rows[0].Reason != "group-source" || rows[0].Count != 1 {
			t.Fatalf("%v: %+v", err, rows)
		}
		last := rows[0].Last
		if (last != nil) != examples {
			t.Fatalf("with examples %v: %+v", examples, last)
		}
		if examples && (last.At != "RED ingress" || last.Length != 60 || !strings.Contains(last.Summary, "> BLUE") || last.Packet != 0) {
			t.Errorf("%+v", last)
		}
	}
}

// TestDropsInTwoLanguages: the language is each reader's, not the lab's.
func TestDropsInTwoLanguages(t *testing.T) {
	s := start(t)
	s.Start()
	s.host.Device("RED eth0").Lose(1)
	for _, r := range []struct{ language, want string }{{"ko", "호스트 인터페이스의 큐가 가득 찼습니다"}, {"", "its own interface's queue was full"}, {"ko-KR, en;q=0.5", "큐가"}, {"xx", "queue"}} {
		var rows []api.Drop
		s.Language = r.language
		if err := s.Get(context.Background(), "/v1/drops", nil, &rows); err != nil || len(rows) != 1 || rows[0].Reason != "nic-queue-full" || !strings.Contains(rows[0].Sentence, r.want) {
			t.Errorf("%q: %v %+v", r.language, err, rows)
		}
	}
}

// TestNICDrops: what a host's own interface has dropped is a drop with a reason, though nothing of the switch ever saw it.
func TestNICDrops(t *testing.T) {
	s := start(t)
	s.Start()
	s.host.Device("RED eth0").Lose(127_282)
	var rows []api.Drop
	if err := s.Get(context.Background(), "/v1/drops", nil, &rows); err != nil || len(rows) != 1 || rows[0].Reason != "nic-queue-full" || rows[0].Count != 127_282 {
		t.Errorf("%v: %+v", err, rows)
	}
}

// TestSocketDrops: what came from another machine faster than the lab took it in, and what the queue of this machine's own socket had no
// room for, are drops with a reason, though those packets never came into the lab. Nothing is taken in because RED's interface takes none.
func TestSocketDrops(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux alone tells what a socket's queue has dropped")
	}
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	s := startOf(t, fmt.Sprintf(overLoopback, port))
	s.Start()
	taking := make(chan struct{})
	release := sync.OnceFunc(func() { close(taking) })
	defer release() // or the lab could not go down
	held := make(chan struct{})
	go s.host.Device("RED eth0").Change(func(*tap.State) { close(held); <-taking })
	<-held
	peer, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	packet := append([]byte{8, 0, 0, 0, 0, 0, 42, 0}, make([]byte, 1000)...) // RFC 7348: a flag, and network 42
	mac := frame.MAC{2, 0x42, 11, 11, 11, 9}
	frame.Ethernet(packet[8:]).SetHeader(frame.Broadcast, mac, frame.TypeARP)
	frame.PutARP(packet[8+frame.EthernetHeader:], frame.ARPRequest, mac, addr("11.11.11.9"), frame.MAC{}, addr("11.11.11.2"))
	const sent = 20_000 // of a kilobyte: several times what the queue holds
	for range sent {
		if _, err := peer.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
	release()
	var rows []api.Drop
	if err := s.Get(context.Background(), "/v1/drops", nil, &rows); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(d api.Drop) bool { return d.Reason == trace.SocketQueue.String() })
	if i < 0 || rows[i].Count >= sent || rows[i].Sentence != trace.SocketQueue.Sentence() {
		t.Errorf("%d packets were sent: %+v", sent, rows)
	}
}

// overLoopback is a lab whose network leads to another machine, in whose place is the test.
const overLoopback = `
name: w
networks:
  br0:
    driver: vxlan
    driver_opts: {vni: 42, port: %d, local: 127.0.0.1, peers: 127.0.0.2}
    ipam: {config: [{subnet: 11.11.11.0/24}]}
services:
  RED: {networks: [br0]}
x-uswitch: {uplink: none}
`

// TestFollowDrops: the first of a kind is told at once, the others are counted.
func TestFollowDrops(t *testing.T) {
	s := start(t)
	s.Start()
	stream, err := s.Stream(context.Background(), http.MethodGet, "/v1/drops", url.Values{"follow": {"1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	lines := json.NewDecoder(stream)
	const drops = 500
	for range drops {
		s.forge()
	}
	var first api.DropEvent
	if err := lines.Decode(&first); err != nil || first.Reason != "group-source" || first.More || first.Count != 1 || first.Last.Packet == 0 {
		t.Fatalf("%v: %+v", err, first)
	}
	for counted := uint64(1); counted < drops; {
		var e api.DropEvent
		if err := lines.Decode(&e); err != nil || e.Lost > 0 || e.Last == nil {
			t.Fatalf("after %d of %d: %v %+v", counted, drops, err, e)
		}
		counted += e.Count
		if counted > drops {
			t.Errorf("%d were counted", counted)
		}
	}
}

// TestDropExampleAtTheGateway: who has sent a packet that the gateway dropped while nobody listened is known by the port, whatever
// address it says; so it is where the rules see what a network carries from port to port.
func TestDropExampleAtTheGateway(t *testing.T) {
	lastHop := ipFrame(gatewayMAC, blueMAC, frame.ProtoICMP, 1, "11.11.11.3", "8.8.8.8", echo(1))
	damaged := ipFrame(frame.MAC{2, 0, 0, 0, 0, 9}, blueMAC, frame.ProtoICMP, 64, "11.11.11.3", "11.11.11.9", echo(1))
	damaged[frame.EthernetHeader+10]++ // of the header's checksum
	for _, test := range []struct {
		name, nic string
		frame     []byte
		bridged   bool
		from      string
	}{
		{"another's address", "RED eth0", lastHop, false, "RED as BLUE > 8.8.8.8"},
		{"its own address", "BLUE eth0", lastHop, false, "BLUE > 8.8.8.8"},
		{"from port to port", "RED eth0", damaged, true, "RED as BLUE > 11.11.11.9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t)
			if test.bridged {
				network := s.world.Networks()[0].Switch
				network.SetFilter(s.world.Gateway().Bridge(network.Name(), network))
			}
			s.Start()
			nic := s.host.Device(test.nic)
			for range 3 { // the first is through when the last one is taken
				nic.Send(test.frame)
			}
			var rows []api.Drop
			if err := s.Get(context.Background(), "/v1/drops", url.Values{"examples": {"1"}}, &rows); err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(rows, func(d api.Drop) bool { return d.Last != nil && strings.HasPrefix(d.Last.At, "gateway ") })
			if i < 0 || rows[i].Last.Packet != 0 || !strings.HasPrefix(rows[i].Last.Summary, test.from+" ") {
				t.Errorf("%+v", rows)
				for _, row := range rows {
					t.Logf("%+v", row.Last)
				}
			}
		})
	}
}
