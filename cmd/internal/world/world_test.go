package world_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/tap"
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

func parsed(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("w.yaml", []byte(text), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reports are the lines that a world has reported.
type reports struct {
	mu    sync.Mutex
	lines []string
}

func (r *reports) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *reports) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// up brings a world up; it goes with the test, and leaves nothing behind.
func up(t *testing.T, text string, host *worldtest.Host) (*world.World, *reports) {
	t.Helper()
	return upWith(t, text, host, nil)
}

// upWith is up with somewhere for the output of the hosts.
func upWith(t *testing.T, text string, host *worldtest.Host, output func(string) io.WriteCloser) (*world.World, *reports) {
	t.Helper()
	r := &reports{}
	w, err := world.New(parsed(t, text), world.Options{Host: host, Report: r.add, Output: output})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Down(); err != nil {
			t.Error(err)
		}
		if left := host.Made(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return w, r
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("never came true:", what)
		}
	}
}

func TestUpAndDown(t *testing.T) {
	host := &worldtest.Host{}
	w, _ := up(t, twoHosts, host)
	for _, name := range []string{"RED", "BLUE"} { // made at the same time
		want := []string{"namespace " + name, "files of " + name, "interface " + name + " eth0"}
		got := slices.DeleteFunc(host.Made(), func(thing string) bool { return !strings.Contains(thing, name) })
		if !slices.Equal(got, want) {
			t.Errorf("made %v, want %v", got, want)
		}
	}
	if _, ok := w.Gateway().Interface("uplink"); !ok {
		t.Error("no uplink")
	}
	eventually(t, "the gateway announces itself", func() bool { return len(host.Device("RED eth0").Received()) > 0 })
}

// TestEveryFailureIsUndone lets each call fail that makes something, one after the other.
func TestEveryFailureIsUndone(t *testing.T) {
	host := &worldtest.Host{}
	up(t, twoHosts, host)
	for n := 1; n <= host.Calls(); n++ {
		host := &worldtest.Host{FailAt: n}
		w, err := world.New(parsed(t, twoHosts), world.Options{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Up(context.Background()); !errors.Is(err, worldtest.ErrTold) {
			t.Errorf("call %d fails, and Up says %v", n, err)
		}
		if left := host.Made(); len(left) > 0 {
			t.Errorf("call %d fails, and leaves %v", n, left)
		}
	}
}

func TestInterruptedSetUp(t *testing.T) {
	host := &worldtest.Host{}
	w, err := world.New(parsed(t, twoHosts), world.Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Up(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Up says %v", err)
	}
	if left := host.Made(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNamespaces: one that is there already is somebody else's; it is used by whoever says so.
func TestNamespaces(t *testing.T) {
	host, r := &worldtest.Host{Existing: []string{"RED"}}, &reports{}
	w, err := world.New(parsed(t, twoHosts), world.Options{Host: host})
	if err == nil {
		err = w.Up(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "netns: RED") || !strings.Contains(err.Error(), "--adopt") || len(host.Made()) > 0 {
		t.Errorf("a namespace of somebody's: %v, left %v", err, host.Made())
	}
	w, err = world.New(parsed(t, twoHosts), world.Options{Host: host, Adopt: true, Report: r.add})
	if err == nil {
		err = w.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := host.Made(); slices.Contains(got, "namespace RED") {
		t.Errorf("made %v, though RED was there", got)
	}
	if !strings.Contains(r.String(), "RED: the namespace exists already") {
		t.Errorf("reported %q", r)
	}
	if err := w.Down(); err != nil {
		t.Error(err)
	}

	owned := &worldtest.Host{Owned: []string{"BLUE"}}
	w, err = world.New(parsed(t, twoHosts), world.Options{Host: owned})
	if err == nil {
		err = w.Up(context.Background())
	}
	if !errors.Is(err, tap.ErrOwned) || len(owned.Made()) > 0 {
		t.Errorf("a namespace of another lab: %v, left %v", err, owned.Made())
	}
}

func TestUnplugged(t *testing.T) {
	host := &worldtest.Host{}
	w, r := up(t, twoHosts, host)
	host.Device("RED eth0").Vanish()
	eventually(t, "the loss is reported", func() bool { return strings.Contains(r.String(), "RED: unplugged: RED eth0") })
	if _, ok := w.Network("br0").Switch.Port("RED"); ok {
		t.Error("the port is still there")
	}
	if _, ok := w.Network("br0").Switch.Port("BLUE"); !ok {
		t.Error("the other port is gone too")
	}
	if why, ok := w.Host("RED").NICs[0].Unplugged(); !ok || why == "" {
		t.Error("the interface does not know")
	}
	if n := strings.Count(r.String(), "unplugged"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestChangesFromInside(t *testing.T) {
	host := &worldtest.Host{}
	w, r := up(t, twoHosts, host)
	red := host.Device("RED eth0")
	hello := make([]byte, 60)
	frame.Ethernet(hello).SetHeader(frame.Broadcast, w.Host("RED").NICs[0].Plan.MAC, frame.TypeIPv4)
	known := func() bool {
		return slices.ContainsFunc(w.Network("br0").Switch.Entries(time.Now()), func(e vswitch.Entry) bool { return e.Port == "RED" })
	}
	red.Send(hello)
	eventually(t, "RED is known", known)
	for _, c := range []struct {
		change func(*tap.State)
		want   string
	}{
		{func(s *tap.State) { s.MTU = 9000 }, "RED: eth0 has an MTU of 9000 now, no longer 1500"},
		{func(s *tap.State) { s.Up = false }, "RED: eth0 is down: nothing reaches it until `ip link set eth0 up`"},
		{func(s *tap.State) { s.Up = true }, "RED: eth0 is up again"},
		{func(s *tap.State) { s.Name = "lan0" }, "RED: eth0 is now called lan0"},
		{func(s *tap.State) { s.MAC[5] = 9 }, "RED: lan0 has the address 02:42:0b:0b:0b:09 now"},
		{func(s *tap.State) { s.Namespace = 7 }, "RED: lan0 has moved to the namespace net:[7]"},
	} {
		red.Change(c.change)
		if !strings.Contains(r.String(), c.want) {
			t.Errorf("want %q in:\n%s", c.want, r)
		}
	}
	if known() {
		t.Error("RED's interface has been down, and the switch still knows who is behind it")
	}
	if port, _ := w.Network("br0").Switch.Port("RED"); port.Flags().MTU != 9000 {
		t.Errorf("the port's MTU is %d", port.Flags().MTU)
	}
}
