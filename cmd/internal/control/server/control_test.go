package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

const twoHosts = `
name: w
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED: {networks: [br0]}
  BLUE: {networks: [br0]}
x-uswitch: {uplink: sim}
`

// running is a lab that is up, and its control socket.
type running struct {
	*server.Server
	*api.Client
	world   *world.World
	host    *worldtest.Host
	path    string
	stopped chan struct{}
}

func start(t *testing.T) *running {
	t.Helper()
	return startOf(t, twoHosts)
}

// startOf brings a lab up, which has to be called w.
func startOf(t *testing.T, lab string) *running {
	t.Helper()
	p, err := plan.Parse("w.yaml", []byte(lab), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &running{host: &worldtest.Host{}, path: api.Path(dir, "w"), stopped: make(chan struct{}, 1)}
	if s.world, err = world.New(p, world.Options{Host: s.host}); err == nil {
		err = s.world.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := server.Listen(dir, "w")
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server.New(l, s.world, "test", 42, func() { s.stopped <- struct{}{} })
	s.Client = api.NewClient(s.path, "w")
	t.Cleanup(func() {
		s.Close()
		if err := s.world.Down(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.path); err == nil {
			t.Error("the socket is still there")
		}
	})
	return s
}

// ask sends an ARP question from RED to BLUE, which the trace shows.
func (s *running) ask() {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	mac := frame.MAC{2, 0x42, 11, 11, 11, 2}
	frame.Ethernet(b).SetHeader(frame.MAC{255, 255, 255, 255, 255, 255}, mac, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPRequest, mac, addr("11.11.11.2"), frame.MAC{}, addr("11.11.11.3"))
	s.host.Device("RED eth0").Send(b)
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func TestTables(t *testing.T) {
	s := start(t)
	s.Start()
	ctx := context.Background()
	s.ask()
	s.ask() // the first is through when this one is taken
	for path, want := range map[string]string{
		"/v1/lab":      `"api":1,"version":"test","name":"w","source":"w.yaml","pid":42`,
		"/v1/hosts":    `"name":"RED","hostname":"RED","namespace":{"name":"RED","path":"/nowhere/RED","lab":"w"`,
		"/v1/networks": `"name":"br0","docker":"w_br0","subnet":"11.11.11.0/24","gateway":"11.11.11.1"`,
		"/v1/ports":    `"network":"br0","name":"BLUE","number":2,"learning":true`,
		"/v1/fdb":      `{"mac":"02:42:0b:0b:0b:02","ifname":"RED","flags":[],"master":"br0","state":"","age":`,
		"/v1/routes":   `{"dst":"default","gateway":"192.168.104.1","dev":"uplink","flags":[]}`,
		"/v1/drops":    `[]`, "/v1/conntrack": `[]`, "/v1/publish": `[]`,
	} {
		var raw json.RawMessage
		if err := s.Get(ctx, path, nil, &raw); err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("GET %s: %v\n%s\nwant %s", path, err, raw, want)
		}
	}
}

func TestActions(t *testing.T) {
	s := start(t)
	s.Start()
	ctx := context.Background()
	set := world.Change{Kind: "gateway", Values: map[string]string{"ip_forward": "0"}}
	if err := s.Do(ctx, http.MethodPost, "/v1/set", nil, set, nil); err != nil || s.world.Gateway().Forwarding() {
		t.Errorf("set: %v", err)
	}
	var answer api.IptablesAnswer
	if err := s.Do(ctx, http.MethodPost, "/v1/iptables", nil, api.IptablesRequest{Args: []string{"-S", "FORWARD"}}, &answer); err != nil ||
		!strings.HasPrefix(answer.Output, "-P FORWARD DROP\n") {
		t.Errorf("iptables: %v %q", err, answer.Output)
	}
	var e *api.Error
	if err := s.Do(ctx, http.MethodPost, "/v1/iptables", nil, api.IptablesRequest{Args: []string{"-t", "security", "-S"}}, nil); !errors.As(err, &e) || e.Status != 3 {
		t.Errorf("iptables -t security: %v", err)
	}
	var saved string
	if err := s.Get(ctx, "/v1/iptables-save", nil, &saved); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(ctx, http.MethodPost, "/v1/iptables-restore", nil, strings.NewReader(saved), nil); err != nil {
		t.Errorf("what is saved is not restored: %v", err)
	}
	if err := s.Do(ctx, http.MethodPost, "/v1/iptables-restore", nil, strings.NewReader("*filter\n-A NOWHERE -j ACCEPT\nCOMMIT\n"), nil); !errors.As(err, &e) || !strings.Contains(e.Message, "line 2") {
		t.Errorf("restore: %v", err)
	}
	var open []api.Published
	request := api.PublishRequest{Host: "RED", Port: "8080:80"}
	if err := s.Do(ctx, http.MethodPost, "/v1/publish", nil, request, &open); err != nil || len(open) != 1 || open[0].HostPort != 8080 {
		t.Errorf("publish: %v %v", err, open)
	}
	if err := s.Do(ctx, http.MethodDelete, "/v1/publish", nil, request, nil); err != nil {
		t.Errorf("unpublish: %v", err)
	}
	if err := s.Do(ctx, http.MethodPost, "/v1/stop", nil, nil, nil); err != nil {
		t.Errorf("stop: %v", err)
	}
	select {
	case <-s.stopped:
	case <-time.After(10 * time.Second):
		t.Error("nobody was told to stop")
	}
}

func TestRefusals(t *testing.T) {
	s := start(t)
	s.Start()
	for name, c := range map[string]struct {
		method, path, body string
		code               int
		want               string
	}{
		"no such path":        {"GET", "/v1/nothing", "", 404, "there is no such thing to ask for"},
		"wrong method":        {"POST", "/v1/fdb", "", 404, "POST /v1/fdb"},
		"no JSON":             {"POST", "/v1/set", "{", 400, "not the JSON"},
		"two values":          {"POST", "/v1/set", `{"kind":"gateway","values":{}} {}`, 400, "more than one value"},
		"unknown field":       {"POST", "/v1/set", `{"kinds":"x"}`, 400, "unknown field"},
		"deep nesting":        {"POST", "/v1/set", strings.Repeat("[", 100000), 400, "not the JSON"},
		"too large":           {"POST", "/v1/iptables-restore", strings.Repeat("# a comment\n", 200000), 413, "larger than"},
		"wrong value":         {"POST", "/v1/set", `{"kind":"gateway","values":{"ip_forward":"x"}}`, 422, "want 0 or 1"},
		"unknown format":      {"GET", "/v1/trace?format=xml", "", 422, "want text, json or pcapng"},
		"unknown host":        {"GET", "/v1/trace?host=PINK", "", 422, `host "PINK": neither an address nor a host of this lab`},
		"wrong number":        {"GET", "/v1/trace?width=x", "", 422, `width "x"`},
		"wrong conntrack":     {"GET", "/v1/conntrack?proto=frob", "", 422, "want tcp, udp, icmp, icmpv6 or a number"},
		"wrong address":       {"DELETE", "/v1/conntrack?orig-src=11.11.11", "", 422, "want one as in"},
		"no such host's port": {"POST", "/v1/publish", `{"host":"PINK","port":"80"}`, 422, "there is no such host"},
	} {
		t.Run(name, func(t *testing.T) {
			path, query, _ := strings.Cut(c.path, "?")
			values, _ := url.ParseQuery(query)
			err := s.Do(context.Background(), c.method, path, values, strings.NewReader(c.body), nil)
			var e *api.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.want) || strings.Contains(e.Message, "\n") {
				t.Errorf("%v, want %d %q", err, c.code, c.want)
			}
		})
	}
}

// TestTraceStreams follows the trace in each format, and sees the end of the lab as the end of the stream.
func TestTraceStreams(t *testing.T) {
	for format, want := range map[string]string{"text": "who has 11.11.11.3?", "json": `"hook":"ingress"`, "pcapng": "RED ingress"} {
		t.Run(format, func(t *testing.T) {
			s := start(t)
			s.Start()
			q := api.TraceQuery{Format: format, Filter: trace.FilterSpec{Hosts: []string{"RED"}, Proto: "arp"}}
			stream, err := s.Stream(context.Background(), http.MethodGet, "/v1/trace", q.Query(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			s.ask()
			var all strings.Builder
			buffer := make([]byte, 1<<16)
			for !strings.Contains(all.String(), want) {
				n, err := stream.Read(buffer)
				if all.Write(buffer[:n]); err != nil {
					t.Fatalf("%v in:\n%s", err, all.String())
				}
			}
			s.Server.Close()
			if _, err := io.Copy(io.Discard, stream); err != nil {
				t.Errorf("the stream ends with %v", err)
			}
		})
	}
}

// TestSlowReader stops reading the trace; the lab goes on, and the reader is told what it has missed.
func TestSlowReader(t *testing.T) {
	s := start(t)
	s.Start()
	q := api.TraceQuery{Format: "json"}
	stream, err := s.Stream(context.Background(), http.MethodGet, "/v1/trace", q.Query(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for range 20000 {
		s.ask()
	}
	in := bufio.NewScanner(stream)
	for in.Scan() {
		if strings.HasPrefix(in.Text(), `{"lost":`) {
			return
		}
	}
	t.Errorf("nothing was lost, or nobody was told: %v", in.Err())
}

// TestFollowToTheEnd: who has had enough gets what was queued for them by then, however slowly they read, and no more.
func TestFollowToTheEnd(t *testing.T) {
	s := start(t)
	s.Start()
	ctx, enough := context.WithCancel(context.Background())
	stream, err := s.Follow(ctx, "/v1/trace", api.TraceQuery{Format: "json", Filter: trace.FilterSpec{Hooks: []string{"ingress"}}}.Query())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	const asked = 1500 // more than the socket takes, less than the queue
	for range asked + 1 {
		s.ask()
	} // all but the last are through
	enough()
	text, err := io.ReadAll(stream)
	if n := strings.Count(string(text), `"hook":"ingress"`); err != nil || n < asked || strings.Contains(string(text), "lost") {
		t.Errorf("%d of %d steps: %v", n, asked, err)
	}
	for i := 0; s.world.Tracer().Listening(); i++ {
		if i == 1000 {
			t.Fatal("the lab still listens for who has gone")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := s.Follow(ctx, "/v1/trace", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who had enough before: %v", err)
	}
}

func TestConntrackFollow(t *testing.T) {
	s := start(t)
	s.Start()
	stream, err := s.Stream(context.Background(), http.MethodGet, "/v1/conntrack", url.Values{"follow": {"1"}, "proto": {"icmp"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.ICMPHeader)
	frame.Ethernet(b).SetHeader(frame.MAC{2, 0x42, 11, 11, 11, 1}, frame.MAC{2, 0x42, 11, 11, 11, 2}, frame.TypeIPv4)
	ip := frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoICMP, 64, 1, addr("11.11.11.2"), addr("8.8.8.8"))
	icmp := frame.ICMP(ip.Payload())
	icmp[0] = frame.ICMPEcho
	icmp.SetChecksum()
	s.host.Device("RED eth0").Send(b)
	var e api.ConnEvent
	if err := json.NewDecoder(stream).Decode(&e); err != nil || e.Type != "NEW" || e.Conn == nil || e.Conn.Original.Dst != addr("8.8.8.8") {
		t.Errorf("%v: %+v", err, e)
	}
	var count api.Count
	if err := s.Do(context.Background(), http.MethodDelete, "/v1/conntrack", api.ConnFilter{Proto: "icmp", OrigSrc: "11.11.11.0/24"}.Query(), nil, &count); err != nil || count.Count != 1 {
		t.Errorf("deleted %d: %v", count.Count, err)
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	s := start(t)
	s.SetPeer(func(net.Conn) (int, error) { return os.Geteuid() + 1000, nil })
	s.Start()
	var e *api.Error
	if err := s.Get(context.Background(), "/v1/lab", nil, nil); !errors.As(err, &e) || e.Code != 403 || !strings.Contains(e.Message, "belongs to user") {
		t.Errorf("a stranger gets %v", err)
	}
}

func TestOtherVersion(t *testing.T) {
	s := start(t)
	s.Start()
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /v1/lab HTTP/1.1\r\nHost: x\r\nUswitch-Api: 99\r\nConnection: close\r\n\r\n")
	if text, _ := io.ReadAll(conn); !strings.Contains(string(text), "400 Bad Request") || !strings.Contains(string(text), "Uswitch-Api: 1") {
		t.Errorf("another version gets:\n%s", text)
	}
}

// TestHalfRequests leaves requests unfinished; others are answered meanwhile.
func TestHalfRequests(t *testing.T) {
	s := start(t)
	s.Start()
	for _, half := range []string{"", "GET /v1/lab HT", "POST /v1/set HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", "\x00\xff\x00\xff",
		"GET /" + strings.Repeat("a", 100000)} {
		conn, err := net.Dial("unix", s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(conn, half)
	}
	var l api.Lab
	if err := s.Get(context.Background(), "/v1/lab", nil, &l); err != nil || l.Name != "w" {
		t.Errorf("somebody else gets %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := start(t)
	s.Start()
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			c := api.NewClient(s.path, "w")
			for range 10 {
				change := world.Change{Kind: "port", Name: "RED", Values: map[string]string{"flood": []string{"on", "off"}[i%2]}}
				if err := c.Do(context.Background(), http.MethodPost, "/v1/set", nil, change, nil); err != nil {
					t.Error(err)
				}
				if err := c.Get(context.Background(), "/v1/ports", nil, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
}

func TestSocket(t *testing.T) {
	dir := t.TempDir()
	path := api.Path(dir, "w")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Listen(dir, "w"); err == nil || !strings.Contains(err.Error(), "somebody answers there") {
		t.Errorf("a socket that is in use: %v", err)
	}
	old.SetUnlinkOnClose(false)
	old.Close()
	l, err := server.Listen(dir, "w")
	if err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	l.Close()
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Listen(dir, "w"); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("a file in the way: %v", err)
	}
}

// TestF83PathTooLong: 103 bytes are allowed, and one more is not (fault F83).
func TestF83PathTooLong(t *testing.T) {
	dir, err := os.MkdirTemp("", "uswitch-") // a short path of its own, whatever this test is called
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	longest := strings.Repeat("n", 103-len(api.Path(dir, "")))
	l, err := server.Listen(dir, longest)
	if err != nil {
		t.Fatalf("103 bytes: %v", err)
	}
	l.Close()
	path := api.Path(dir, longest+"n")
	want := "control socket: the path " + path + " is 104 bytes long, and 103 are allowed: give the lab a shorter name with --name"
	if _, err := server.Listen(dir, longest+"n"); err == nil || err.Error() != want {
		t.Errorf("104 bytes: %v; want %s", err, want)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a socket is there all the same")
	}
}
