package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// stepping is a client that steps.
type stepping struct {
	*running
	t       *testing.T
	lines   *json.Decoder
	session uint64
	quit    func()
}

func (s *running) steps(t *testing.T, q api.StepQuery) *stepping {
	t.Helper()
	for host, mac := range map[string]frame.MAC{"11.11.11.2": redMAC, "11.11.11.3": blueMAC} {
		s.world.Networks()[0].Interface.SetNeighbor(addr(host), mac, time.Now())
	}
	ctx, cancel := context.WithCancel(context.Background())
	answer, err := s.Stream(ctx, http.MethodGet, "/v1/step", q.Query(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &stepping{running: s, t: t, lines: json.NewDecoder(answer), quit: func() { cancel(); answer.Close() }}
	t.Cleanup(c.quit)
	if e := c.next(); e.Kind != api.StepBegun || e.Session == 0 {
		t.Fatalf("begins with %+v", e)
	} else {
		c.session = e.Session
	}
	return c
}

func (c *stepping) next() (e api.StepEvent) {
	c.t.Helper()
	if err := c.lines.Decode(&e); err != nil {
		c.t.Fatal(err)
	}
	return e
}

func (c *stepping) goOn(leg uint64, run bool) error {
	return c.Do(context.Background(), http.MethodPost, "/v1/step", nil, api.StepRequest{Session: c.session, Leg: leg, Run: run}, nil)
}

// replies returns how many echo replies a host has.
func (s *running) replies(host string) (n int) {
	for _, f := range s.host.Device(host + " eth0").Received() {
		if len(f.Data) > 34 && f.Data[23] == frame.ProtoICMP && f.Data[34] == frame.ICMPEchoReply {
			n++
		}
	}
	return n
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(5 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

func (s *running) ping(host string, mac frame.MAC, from, to string) {
	s.host.Device(host + " eth0").Send(ipFrame(gatewayMAC, mac, frame.ProtoICMP, 64, from, to, echo(9)))
}

// TestStep takes a ping hop by hop: each stop has its sentence, what it has changed and what will be looked at. Meanwhile
// somebody else's ping is answered.
func TestStep(t *testing.T) {
	s := start(t)
	s.Start()
	s.ask() // RED is learned
	c := s.steps(t, api.StepQuery{Filter: trace.FilterSpec{From: []string{"RED"}, Proto: "icmp", Hooks: []string{"route"}}})
	s.ping("RED", redMAC, "11.11.11.2", "8.8.8.8")
	type want struct{ kind, at, has string }
	var legs []uint64
	step := func(w want) api.StepEvent {
		t.Helper()
		e := c.next()
		at := ""
		if e.Step != nil {
			at = e.Step.Where + " " + e.Step.What
		}
		all, _ := json.Marshal(e)
		if e.Kind != w.kind || at != w.at || !strings.Contains(string(all), w.has) {
			t.Fatalf("got %s\nwant %+v", all, w)
		}
		legs = append(legs, e.Leg)
		return e
	}
	step(want{"passed", "RED ingress", ""})
	step(want{"passed", "br0 local", "the gateway's own address"})
	step(want{"passed", "gateway prerouting", "is new: no rule changes"})
	e := step(want{"stopped", "gateway route", `"looked":["filter FORWARD"]`})
	if len(e.Next.Rules) == 0 || e.Held != 1 {
		t.Errorf("%+v", e)
	}

	before := s.replies("BLUE")
	s.ping("BLUE", blueMAC, "11.11.11.3", "8.8.8.8")
	eventually(t, "BLUE is answered while RED's packet is held", func() bool { return s.replies("BLUE") > before })
	if s.replies("RED") > 0 {
		t.Error("RED is answered, and its question is held")
	}

	_ = c.goOn(e.Leg, false)
	e = step(want{"stopped", "gateway forward", ""})
	if len(e.Next.Looked) == 0 || e.Next.Looked[0] != "nat POSTROUTING" {
		t.Errorf("next %+v", e.Next)
	}
	_ = c.goOn(e.Leg, false)
	e = step(want{"stopped", "gateway postrouting", "MASQUERADE"})
	_ = c.goOn(e.Leg, false)
	e = step(want{"stopped", "uplink egress", "handed to the outside"})
	if len(e.Changed.Conns) != 1 || e.Changed.Conns[0].Before != nil || e.Changed.Conns[0].After.Original.Dst != addr("8.8.8.8") {
		t.Errorf("changed %+v", e.Changed)
	}
	if err := c.goOn(e.Leg, true); err != nil {
		t.Error(err)
	}
	step(want{kind: "ended"})
	for _, leg := range legs {
		if leg != e.Leg {
			t.Errorf("leg %d among those of %d", leg, e.Leg)
		}
	}
	eventually(t, "RED is answered", func() bool { return s.replies("RED") == 1 })

	var gone *api.Error
	if err := c.goOn(e.Leg, true); !errors.As(err, &gone) || !strings.Contains(gone.Message, "no such packet is held") {
		t.Errorf("a packet that has ended: %v", err)
	}
	c.session += 7
	if err := c.goOn(e.Leg, true); !errors.As(err, &gone) || gone.Code != http.StatusNotFound {
		t.Errorf("a session that is none: %v", err)
	}
}

// TestStepQuits: a client that goes, and a lab that ends, let everything go.
func TestStepQuits(t *testing.T) {
	for name, quit := range map[string]func(*stepping){
		"the client goes": func(c *stepping) { c.quit() },
		"the lab ends":    func(c *stepping) { c.Server.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Start()
			c := s.steps(t, api.StepQuery{Filter: trace.FilterSpec{Hosts: []string{"RED"}}})
			s.ping("RED", redMAC, "11.11.11.2", "11.11.11.1")
			s.ping("RED", redMAC, "11.11.11.2", "11.11.11.1")
			if e := c.next(); e.Kind != api.StepStopped || e.Step.Hook != "ingress" {
				t.Fatalf("%+v", e)
			}
			quit(c)
			eventually(t, "both are answered", func() bool { return s.replies("RED") == 2 })
		})
	}
}

// TestStepBounds: patience ends, and more than there is room for passes by.
func TestStepBounds(t *testing.T) {
	s := start(t)
	s.Start()
	c := s.steps(t, api.StepQuery{Filter: trace.FilterSpec{From: []string{"RED"}}, Max: 1, Patience: 50 * time.Millisecond})
	s.ping("RED", redMAC, "11.11.11.2", "11.11.11.1")
	if e := c.next(); e.Kind != api.StepStopped {
		t.Fatalf("%+v", e)
	}
	s.ping("RED", redMAC, "11.11.11.2", "11.11.11.1")
	eventually(t, "both are answered", func() bool { return s.replies("RED") == 2 })
	for {
		if e := c.next(); e.Kind == api.StepEnded {
			if !e.Late {
				t.Errorf("%+v", e)
			}
			break
		}
	}
	for query, says := range map[string]string{"max=0": "want a number", "patience=1h": "at most 10m", "patience=x": "want a time",
		"hook=nowhere": "no such hook", "host=PINK": "neither an address nor a host"} {
		values, _ := url.ParseQuery(query)
		if _, err := s.Stream(context.Background(), http.MethodGet, "/v1/step", values, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestJourney: what somebody has traced can be asked for by its number.
func TestJourney(t *testing.T) {
	s := start(t)
	s.Start()
	ring := trace.NewRing(10, 0, 0)
	s.world.Tracer().Attach(ring)
	s.ask()
	s.ask()
	found := false
	for _, packet := range []string{"1", "2", "3"} { // among announcements
		var steps []api.Step
		if err := s.Get(context.Background(), "/v1/journey", url.Values{"packet": {packet}}, &steps); err == nil && steps[0].Where == "RED" {
			found = len(steps) > 2 && steps[0].What == "ingress" && len(steps[0].Data) == 42
		}
	}
	if !found {
		t.Error("RED's question is not remembered")
	}
	for packet, says := range map[string]string{"999": "packet 999 is not remembered", "0": "want its number", "x": "want its number"} {
		if err := s.Get(context.Background(), "/v1/journey", url.Values{"packet": {packet}}, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("packet %s: %v", packet, err)
		}
	}
}
