package tap_test

import (
	"strings"
	"testing"
	"time"

	"uswitch/tap"
)

// TestWatch does to an interface what a person inside a namespace can do to it.
func TestWatch(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns, other := create(t, host), create(t, host)
	device := open(t, host, ns, quietly("11.11.11.2/24"))
	start, err := device.State()
	if err != nil {
		t.Fatal(err)
	}
	if start.Name != "eth0" || start.MTU != 1500 || !start.Up || start.Namespace != ns.ID.Inode || start.Index < 2 || !start.MAC.IsStation() {
		t.Errorf("state at the start: %+v", start)
	}
	changes := make(chan tap.State, 100)
	stop, err := device.Watch(func(state tap.State) { changes <- state })
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		command string
		want    func(tap.State) bool
	}{
		{"-n NS link set eth0 mtu 9000", func(s tap.State) bool { return s.MTU == 9000 }},
		{"-n NS link set eth0 address 02:42:00:00:00:99", func(s tap.State) bool { return s.MAC.String() == "02:42:00:00:00:99" }},
		{"-n NS link set eth0 down", func(s tap.State) bool { return !s.Up }},
		{"-n NS link set eth0 name lan9", func(s tap.State) bool { return s.Name == "lan9" }},
		{"-n NS link set lan9 up", func(s tap.State) bool { return s.Up }},
		{"-n NS link set lan9 netns OTHER", func(s tap.State) bool { return s.Namespace == other.ID.Inode }},
		{"-n OTHER link set lan9 mtu 1400", func(s tap.State) bool { return s.MTU == 1400 && s.Namespace == other.ID.Inode }},
	}
	for _, step := range steps {
		command := strings.NewReplacer("NS", ns.Name, "OTHER", other.Name).Replace(step.command)
		ip(t, strings.Fields(command)...)
		got := await(t, step.command, changes, step.want)
		if now, err := device.State(); err != nil || now != got {
			t.Errorf("%s: the watch saw %+v; State says %+v, %v", step.command, got, now, err)
		}
	}
	stop()
	stop()
	ip(t, "-n", other.Name, "link", "set", "lan9", "mtu", "1300")
	select {
	case state := <-changes:
		t.Errorf("after stop: %+v", state)
	case <-time.After(200 * time.Millisecond):
	}
}

// TestWatchKeepsNothingAlive deletes a namespace in which an interface is watched.
func TestWatchKeepsNothingAlive(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	device := open(t, host, ns, quietly("11.11.11.2/24"))
	if _, err := device.Watch(func(tap.State) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := device.State(); err != nil {
		t.Fatal(err)
	}
	ip(t, "netns", "del", ns.Name)
	wantGone(t, device)
	device.Close()
	if _, err := device.Watch(func(tap.State) {}); err == nil {
		t.Error("Watch of a closed device: no error")
	}
}

// await returns the first state that is as wanted.
func await(t *testing.T, what string, changes <-chan tap.State, want func(tap.State) bool) tap.State {
	t.Helper()
	timeout := time.After(30 * time.Second)
	var last tap.State
	for {
		select {
		case last = <-changes:
			if want(last) {
				return last
			}
		case <-timeout:
			t.Fatalf("%s: not reported; last was %+v", what, last)
		}
	}
}
