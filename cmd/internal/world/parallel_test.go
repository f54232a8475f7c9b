package world_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
)

// crowd is a lab of h00, h01 and so on, each on both networks.
func crowd(count int) string {
	var text strings.Builder
	text.WriteString("name: w\nnetworks: {br0: {ipam: {config: [{subnet: 10.1.0.0/24}]}}, br1: {ipam: {config: [{subnet: 10.2.0.0/24}]}}}\nservices:\n")
	for i := range count {
		fmt.Fprintf(&text, "  h%02d: {networks: [br0, br1]}\n", i)
	}
	text.WriteString("x-uswitch: {uplink: none, keep_up: true}\n")
	return text.String()
}

// signals are things that have happened.
type signals struct {
	mu   sync.Mutex
	come map[string]chan struct{}
}

func (s *signals) of(name string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.come == nil {
		s.come = map[string]chan struct{}{}
	}
	if s.come[name] == nil {
		s.come[name] = make(chan struct{})
	}
	return s.come[name]
}

func (s *signals) say(name string) { close(s.of(name)) }

// wait waits for something, which does not happen where hosts are made one after the other.
func (s *signals) wait(name string) error {
	select {
	case <-s.of(name):
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%q never comes", name)
	}
}

// TestHostsAreMadeAbreast has the first hosts wait for the interfaces of the eighth: it is made before them, and is behind them in
// all that can be seen.
func TestHostsAreMadeAbreast(t *testing.T) {
	var s signals
	host := &worldtest.Host{Making: func(thing string) error {
		switch {
		case thing == "interface h07 eth1":
			s.say("h07")
		case strings.HasPrefix(thing, "namespace") && thing < "namespace h07":
			return s.wait("h07")
		}
		return nil
	}}
	const count = 40
	w, _ := up(t, crowd(count), host)
	var hosts []string
	for i, h := range w.Hosts() {
		hosts = append(hosts, h.Plan.Name)
		if h.Plan.Name != w.Plan().Hosts[i].Name {
			t.Errorf("the plan has %s in the place of %s", w.Plan().Hosts[i].Name, h.Plan.Name)
		}
	}
	for _, network := range w.Networks() {
		var ports []string
		for i, p := range network.Switch.Ports() {
			ports = append(ports, p.Name())
			if p.ID() != uint32(i)+1 {
				t.Errorf("port %d of %s, %s, has the number %d", i+1, network.Plan.Name, p.Name(), p.ID())
			}
		}
		if !slices.IsSorted(ports) || len(ports) != count || !slices.Equal(ports, hosts) {
			t.Errorf("the ports of %s are %v, the hosts %v", network.Plan.Name, ports, hosts)
		}
	}
}

// TestFirstFailureIsTold has two hosts fail, the later one first, among others whose namespaces are there already. The error
// and what is reported are as if one had been made after the other.
func TestFirstFailureIsTold(t *testing.T) {
	var s signals
	host := &worldtest.Host{Existing: []string{"h04", "h01", "h02"}, Making: func(thing string) error {
		switch thing {
		case "interface h03 eth1":
			if err := s.wait("h05"); err != nil {
				return err
			}
			return errors.New("h03 has failed")
		case "namespace h05":
			s.say("h05")
			return errors.New("h05 has failed")
		}
		return nil
	}}
	r := &reports{}
	w, err := world.New(parsed(t, crowd(40)), world.Options{Host: host, Adopt: true, Report: r.add})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Up(context.Background()); err == nil || err.Error() != "host h03: h03 has failed" {
		t.Errorf("Up says %v", err)
	}
	if left := host.Made(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	lines := strings.Split(r.String(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "h01: the namespace exists") || !strings.HasPrefix(lines[1], "h02: the namespace exists") {
		t.Errorf("reported %q", lines)
	}
}

// TestEveryFailureOfManyIsUndone is TestEveryFailureIsUndone where hosts are made at the same time.
func TestEveryFailureOfManyIsUndone(t *testing.T) {
	host := &worldtest.Host{}
	up(t, crowd(10), host)
	for n := 1; n <= host.Calls(); n++ {
		host := &worldtest.Host{FailAt: n}
		w, err := world.New(parsed(t, crowd(10)), world.Options{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Up(context.Background()); !errors.Is(err, worldtest.ErrTold) || !strings.HasPrefix(err.Error(), "host h") {
			t.Errorf("call %d fails, and Up says %v", n, err)
		}
		if left := host.Made(); len(left) > 0 {
			t.Errorf("call %d fails, and leaves %v", n, left)
		}
	}
}

// TestInterruptedHalfWay ends the set-up when some of the hosts have been made: no more are begun, and none is left.
func TestInterruptedHalfWay(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	host := &worldtest.Host{Making: func(thing string) error {
		if thing == "namespace h20" {
			cancel()
		}
		return nil
	}}
	w, err := world.New(parsed(t, crowd(200)), world.Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Up(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Up says %v", err)
	}
	if left := host.Made(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if host.Device("h150 eth0") != nil {
		t.Error("went on to the end")
	}
}

// inTurn is a Host for which the order of calls shows.
type inTurn struct{ *worldtest.Host }

func (inTurn) InTurn() {}

// TestHostsInTurn makes hosts one after the other where that shows.
func TestHostsInTurn(t *testing.T) {
	host := &worldtest.Host{}
	w, err := world.New(parsed(t, crowd(20)), world.Options{Host: inTurn{host}})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	if made := host.Made(); !slices.IsSortedFunc(made, func(a, b string) int { return strings.Compare(hostOf(a), hostOf(b)) }) {
		t.Errorf("made %v", made)
	}
	if err := w.Down(); err != nil || len(host.Made()) > 0 {
		t.Errorf("Down says %v; left behind: %v", err, host.Made())
	}
}

// hostOf returns the host of "interface h07 eth1" and the like.
func hostOf(thing string) string { return thing[strings.Index(thing, " h"):][:4] }

// TestHostsGoAbreast has the last host's end wait for the first one's. What fails is told in the order in which hosts go.
func TestHostsGoAbreast(t *testing.T) {
	var s signals
	host := &worldtest.Host{Unmaking: func(thing string) error {
		switch thing {
		case "namespace h09":
			if err := s.wait("h02"); err != nil {
				return err
			}
			return errors.New("stays")
		case "namespace h02":
			s.say("h02")
			return errors.New("stays too")
		}
		return nil
	}}
	w, err := world.New(parsed(t, crowd(10)), world.Options{Host: host})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Down(); err == nil || err.Error() != "host h09: stays\nhost h02: stays too" {
		t.Errorf("Down says %v", err)
	}
	if left := host.Made(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
