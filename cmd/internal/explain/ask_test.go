package explain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/cmd/internal/tools/view"
	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// real is a lab as a real one looks to this package: switches whose links lead elsewhere, and hosts as plain data.
func real(t *testing.T, leg nat.InterfaceConfig, uplink explain.Uplink) *explain.Lab {
	t.Helper()
	now, tracer := time.Now(), new(trace.Tracer)
	rules := rule.NewTables(rule.IPv4)
	if err := rules.Apply([]string{"-t nat -A POSTROUTING -s 10.1.0.0/24 ! -o br0 -j MASQUERADE"}); err != nil {
		t.Fatal(err)
	}
	l := &explain.Lab{Now: now, Uplink: uplink,
		Gateway: nat.New(nat.Config{Tracer: tracer, Epoch: now, Rules: rules, Random: rand.New(rand.NewPCG(1, 2))})}
	s := vswitch.New(vswitch.Config{Name: "br0", Tracer: tracer, Epoch: now})
	i, err := l.Gateway.Add(nat.InterfaceConfig{Name: "br0", Addr: netip.MustParsePrefix("10.1.0.1/24"), MAC: frame.MAC{2, 0, 0, 0, 0, 1}, Segment: s}, now)
	if err != nil {
		t.Fatal(err)
	}
	s.SetLocal(i.MAC(), i)
	for n, name := range []string{"RED", "BLUE"} {
		if _, err := s.Attach(name, nobody{}, vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true}); err != nil {
			t.Fatal(err)
		}
		l.Hosts = append(l.Hosts, sim.HostState{Name: name, TCP: []uint16{80},
			NICs: []sim.NICState{{Name: "eth0", Network: "br0", Port: name, MTU: 1500, MAC: frame.MAC{2, 0, 0, 0, 1, byte(n)},
				Addr: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(n + 2)}), 24)}},
			Routes: []sim.HostRoute{{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Via: ip("10.1.0.1"), NIC: "eth0"}}})
	}
	l.Switches = []*vswitch.Switch{s}
	out, err := l.Gateway.Add(leg, now)
	if err == nil {
		err = l.Gateway.AddRoute(netip.MustParsePrefix("0.0.0.0/0"), ip("192.0.2.1"), out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// nobody is a link, a segment and an uplink that must never be used: a question goes to a copy.
type nobody struct{}

func (nobody) Read() (frame.Frame, error) { return frame.Frame{}, frame.ErrLinkGone }
func (nobody) Write(frame.Frame) error    { panic("a question has left the lab") }
func (nobody) Close() error               { return nil }

type noUplink struct{}

func (noUplink) Output(frame.Frame, time.Time) trace.Reason { panic("a question has left the lab") }

type noSegment struct{}

func (noSegment) Output(frame.Frame, *trace.Journey, time.Time) { panic("a question has left the lab") }

func TestRealUplinks(t *testing.T) {
	hostLeg := nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}
	netnsLeg := nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), MAC: frame.MAC{2, 0, 0, 0, 0, 9}, Segment: noSegment{}}
	host := explain.Uplink{Kind: explain.Host, Refuses: func(a netip.Addr) trace.Reason {
		if a == ip("192.0.2.7") || a.IsLinkLocalUnicast() {
			return trace.HostForbidden
		}
		return trace.NoReason
	}}
	open := host
	open.AllowHost = true
	for _, tt := range []struct {
		name   string
		leg    nat.InterfaceConfig
		uplink explain.Uplink
		q      api.Question
		want   string // the reason of the stop, or empty
	}{
		{"anywhere", hostLeg, host, api.Question{From: "RED", To: "1.2.3.4", Protocol: "tcp", Port: 443}, ""},
		{"the host itself", hostLeg, host, api.Question{From: "RED", To: "192.0.2.7", Protocol: "icmp"}, "host-forbidden"},
		{"the host itself, allowed", hostLeg, open, api.Question{From: "RED", To: "192.0.2.7", Protocol: "icmp"}, ""},
		{"metadata", hostLeg, host, api.Question{From: "RED", To: "169.254.169.254", Protocol: "tcp", Port: 80}, "host-forbidden"},
		{"a namespace", netnsLeg, explain.Uplink{Kind: explain.Netns}, api.Question{From: "RED", To: "1.2.3.4", Protocol: "udp", Port: 53}, ""},
		{"from outside", hostLeg, host, api.Question{From: "outside", To: "192.0.2.2", Protocol: "tcp", Port: 80}, "no-socket"},
		{"inside", hostLeg, host, api.Question{From: "RED", To: "BLUE", Protocol: "tcp", Port: 80}, ""},
		{"the gateway", hostLeg, host, api.Question{From: "RED", To: "gateway", Protocol: "icmp"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := real(t, tt.leg, tt.uplink)
			a, err := l.Explain(tt.q)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if a.Stop != nil {
				got = a.Stop.Reason
			}
			if got != tt.want || a.Works != (a.Verdict == api.Yes) {
				t.Errorf("stopped by %q, want %q: %s", got, tt.want, a.Sentence)
			}
			advice, err := l.WhyNot(tt.q)
			outside := tt.q.To[0] == '1' && tt.q.From == "RED" // where nothing is ever called solved
			if err != nil || advice.Rest != nil || advice.Solved == outside {
				t.Errorf("solved: %+v, %v", advice, err)
			}
			if out := outside && tt.want == ""; out != (a.Unknown != "") || out && a.Verdict != api.NotKnown {
				t.Errorf("unknown: %q", a.Unknown)
			}
		})
	}
}

func TestPublishOnTheHost(t *testing.T) {
	l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Host})
	a, err := l.WhyNot(api.Question{From: "outside", To: "192.0.2.2", Protocol: "tcp", Port: 8080})
	if err != nil || len(a.Steps) != 1 || a.Steps[0].Command != "uswitch publish add RED 8080:80" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestJSON: what a program reads is what was found out.
func TestJSON(t *testing.T) {
	l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Host})
	a, err := l.Explain(api.Question{From: "RED", To: "1.2.3.4", Protocol: "icmp"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back api.Answer
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, *a) {
		t.Errorf("%s\nbecame\n%+v, %v", text, back, err)
	}
	for _, key := range []string{`"phase":1`, `"looked_up":`, `"rule":{"table":"nat","chain":"POSTROUTING","number":1,`, `"before":"10.1.0.2`,
		`"after":"192.0.2.2`, `"verdict":"unknown"`, `"sentence":"As far as the switch can see, RED reaches 1.2.3.4`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("%s is missing in %s", key, text)
		}
	}
}

func TestPictures(t *testing.T) {
	l := real(t, nat.InterfaceConfig{Name: "uplink", Addr: netip.MustParsePrefix("192.0.2.2/24"), Uplink: noUplink{}}, explain.Uplink{Kind: explain.Host})
	l.Hosts[0].Name = "<RED&>" // what comes out of a lab file must not become markup
	m, err := l.Reach(context.Background(), explain.ReachOptions{Outside: ip("8.8.8.8")})
	if err != nil {
		t.Fatal(err)
	}
	var svg, page, again bytes.Buffer
	if err := errors.Join(view.MatrixSVG(&svg, m), view.MatrixHTML(&page, m), view.MatrixSVG(&again, m)); err != nil {
		t.Fatal(err)
	}
	if svg.String() != again.String() {
		t.Error("the picture differs from run to run")
	}
	for d := xml.NewDecoder(bytes.NewReader(svg.Bytes())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v", err)
		}
	}
	for name, text := range map[string]string{"SVG": svg.String(), "HTML": page.String()} {
		if strings.Contains(text, "<RED") || !strings.Contains(text, "&lt;RED&amp;&gt;") {
			t.Errorf("%s: the name is not escaped", name)
		}
		if strings.Contains(text, "http://") && !strings.Contains(text, "http://www.w3.org/2000/svg") {
			t.Errorf("%s needs another file", name)
		}
	}
}

// FuzzQuestion asks anything: an answer or an error comes, and both can be written down.
func FuzzQuestion(f *testing.F) {
	f.Add("RED", "8.8.8.8", "icmp", uint16(0), 0, false)
	f.Add("outside", "192.168.104.2", "tcp", uint16(8080), 0, false)
	f.Add("RED", "example.com", "udp", uint16(53), 9, true)
	f.Add("RED", "255.255.255.255", "icmp", uint16(0), 65507, false)
	f.Add("RED", "224.0.0.1", "udp", uint16(1), 0, false)
	f.Add("RED", "0.0.0.0", "tcp", uint16(1), 0, false)
	f.Add("RED", "11.11.11.255", "icmp", uint16(0), 4000, true)
	f.Add("RED", "127.0.0.1", "tcp", uint16(80), 0, false)
	w := build(f, "network br0 11.11.11.0/24\nhost RED br0 11.11.11.2\nhost BLUE br0 11.11.11.3\nuplink sim\n"+
		"rule -t nat -A POSTROUTING -o uplink -j MASQUERADE\nrule -P FORWARD DROP\n")
	f.Fuzz(func(t *testing.T, from, to, protocol string, port uint16, size int, df bool) {
		q := api.Question{From: from, To: to, Protocol: protocol, Port: port, Size: size, DontFragment: df}
		a, err := w.lab().Explain(q)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		advice, err := w.lab().WhyNot(q)
		if err != nil {
			t.Fatal(err)
		}
		if advice.Works != a.Works || a.Verdict != api.NotKnown && a.Works == (a.Stop != nil) || a.Sentence == "" || advice.Sentence == "" {
			t.Errorf("%+v: %+v, %+v", q, a, advice)
		}
		if err := errors.Join(view.Answer(io.Discard, a), view.Advice(io.Discard, advice)); err != nil {
			t.Error(err)
		}
		_ = fmt.Sprint(q)
	})
}

// TestMissingRoutes takes routes away that the gateway had, as a person can.
func TestMissingRoutes(t *testing.T) {
	for prefix, want := range map[string]string{
		"0.0.0.0/0":     "uswitch ip route add default via 192.168.104.1 dev uplink",
		"11.11.11.0/24": "uswitch ip route add 11.11.11.0/24 dev br0",
	} {
		w := build(t, "network br0 11.11.11.0/24\nhost RED br0 11.11.11.2\nuplink sim\nrule -t nat -A POSTROUTING -o uplink -j MASQUERADE\n")
		if !w.Gateway().RemoveRoute(netip.MustParsePrefix(prefix)) {
			t.Fatalf("no route to %s", prefix)
		}
		a, err := w.lab().WhyNot(api.Question{From: "RED", To: "8.8.8.8", Protocol: "icmp"})
		if err != nil || !a.Solved || len(a.Steps) != 1 || a.Steps[0].Command != want {
			t.Errorf("without %s: %+v, %v", prefix, a, err)
		}
	}
}

// TestMissingAddress takes the gateway's own address away, before anybody has learned it and after. Without it, its hosts
// have a default route that leads nowhere, or none.
func TestMissingAddress(t *testing.T) {
	for name, c := range map[string]struct {
		to, gateway string
		known       bool
		want        string
	}{
		"unknown":            {"8.8.8.8", "", false, "uswitch ip addr add 11.11.11.1/24 dev br0"},
		"known":              {"8.8.8.8", "", true, "uswitch ip addr add 11.11.11.1/24 dev br0"},
		"itself asked for":   {"11.11.11.1", "", false, "uswitch ip addr add 11.11.11.1/24 dev br0"},
		"where RED wants it": {"8.8.8.8", " gateway 11.11.11.9", false, "uswitch ip addr add 11.11.11.9/24 dev br0"},
		"and no route":       {"8.8.8.8", " gateway none", false, "uswitch exec RED -- ip route add default via 11.11.11.1; uswitch ip addr add 11.11.11.1/24 dev br0"},
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t, "network br0 11.11.11.0/24\nhost RED br0 11.11.11.2"+c.gateway+"\nuplink sim\nrule -t nat -A POSTROUTING -o uplink -j MASQUERADE\n")
			host, _ := w.Host("RED")
			if c.known {
				w.ping(host, ip("8.8.8.8"))
			}
			leg, _ := w.Gateway().Interface("br0")
			if err := w.Gateway().SetAddr(leg, netip.Prefix{}, w.Clock().Now()); err != nil {
				t.Fatal(err)
			}
			a, err := w.lab().WhyNot(api.Question{From: "RED", To: c.to, Protocol: "icmp"})
			if err != nil {
				t.Fatal(err)
			}
			var commands []string
			for _, s := range a.Steps {
				commands = append(commands, s.Command)
			}
			if got := strings.Join(commands, "; "); !a.Solved || got != c.want {
				t.Errorf("got %q, want %q: %+v", got, c.want, a)
			}
		})
	}
}
