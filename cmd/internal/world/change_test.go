package world_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
	vswitch "uswitch/switch"
)

func TestSet(t *testing.T) {
	w, _ := up(t, twoHosts, &worldtest.Host{})
	s := w.Network("br0").Switch
	red, _ := s.Port("RED")
	values := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		change world.Change
		is     func() bool
		wrong  string // what the error says
	}{
		"port": {change: world.Change{Kind: "port", Name: "RED", Values: values("learning", "off", "storm_limit", "7", "ra_guard", "off", "nd_guard", "off", "dhcp_guard", "on")},
			is: func() bool {
				k := red.Flags()
				return !k.Learning && k.StormLimit == 7 && k.Flood && !k.RAGuard && !k.NDGuard && k.DHCPGuard
			}},
		"port, network named": {change: world.Change{Kind: "port", Name: "RED", Network: "br0", Values: values("isolated", "on")},
			is: func() bool { return red.Flags().Isolated }},
		"network": {change: world.Change{Kind: "network", Name: "br0", Values: values("ageing_time", "10", "fdb_max_learned", "5")},
			is: func() bool { return s.FDB().Ageing() == 10*time.Second && s.FDB().MaxLearned() == 5 }},
		"groups": {change: world.Change{Kind: "network", Name: "br0", Values: values("group_fwd_mask", "0x4000")},
			is: func() bool { return s.GroupForward() == 0x4000 }},
		"restricted group": {change: world.Change{Kind: "network", Name: "br0", Values: values("group_fwd_mask", "4")}, wrong: "bits 0 to 2"},
		"no mask":          {change: world.Change{Kind: "network", Name: "br0", Values: values("group_fwd_mask", "0x10000")}, wrong: "want a number from 0 to 0xffff"},
		"gateway": {change: world.Change{Kind: "gateway", Values: values("ip_forward", "0", "udp_timeout", "30")},
			is: func() bool { return !w.Gateway().Forwarding() && w.Timeouts().UDP == 30*time.Second }},
		"fdb": {change: world.Change{Kind: "fdb", Name: "02:00:00:00:00:09", Values: values("port", "RED")},
			is: func() bool {
				return slices.ContainsFunc(s.Entries(time.Now()), func(e vswitch.Entry) bool { return e.Static && e.Port == "RED" })
			}},

		"unknown key":           {change: world.Change{Kind: "port", Name: "RED", Values: values("frob", "on")}, wrong: `"frob": want one of bcast_flood, `},
		"wrong value":           {change: world.Change{Kind: "port", Name: "RED", Values: values("flood", "maybe")}, wrong: `"maybe": want on or off`},
		"number out of range":   {change: world.Change{Kind: "network", Name: "br0", Values: values("ageing_time", "-1")}, wrong: "want a number from 0 to 1000000"},
		"not a bit":             {change: world.Change{Kind: "gateway", Values: values("ip_forward", "2")}, wrong: `ip_forward: "2": want 0 or 1`},
		"no host":               {change: world.Change{Kind: "port", Name: "PINK", Values: values("flood", "on")}, wrong: "there are RED, BLUE"},
		"no network":            {change: world.Change{Kind: "network", Name: "br9", Values: values("ageing_time", "1")}, wrong: "there are br0"},
		"nothing":               {change: world.Change{Kind: "gateway"}, wrong: "want KEY=VALUE"},
		"unknown kind":          {change: world.Change{Kind: "weather", Values: values("a", "b")}, wrong: "want port, network, fdb or gateway"},
		"group address":         {change: world.Change{Kind: "fdb", Name: "ff:ff:ff:ff:ff:ff", Values: values("port", "RED")}, wrong: "cannot be the address of one station"},
		"forget what is absent": {change: world.Change{Kind: "fdb", Name: "02:00:00:00:00:77", Values: values("port", "none")}, wrong: "is not in the table"},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.Set(c.change)
			switch {
			case c.wrong == "" && (err != nil || !c.is()):
				t.Errorf("Set: %v, and it is not so", err)
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("Set: %v, want %q", err, c.wrong)
			}
		})
	}
}

// TestSetIsAllOrNothing has one good value and one bad one.
func TestSetIsAllOrNothing(t *testing.T) {
	w, _ := up(t, twoHosts, &worldtest.Host{})
	if w.Set(world.Change{Kind: "gateway", Values: map[string]string{"ip_forward": "0", "udp_timeout": "x"}}) == nil {
		t.Error("no error")
	}
	if !w.Gateway().Forwarding() {
		t.Error("half of the change was made")
	}
}

func TestPublish(t *testing.T) {
	file := strings.Replace(twoHosts, "RED: {networks: [br0]}", `RED: {networks: [br0], ports: ["8080:80"]}`, 1)
	w, r := up(t, strings.Replace(file, "uplink: sim", "uplink: sim, docker_rules: off", 1), &worldtest.Host{})
	if !strings.Contains(r.String(), "published: 192.168.104.2:8080 -> RED 11.11.11.2:80/tcp; reachable from inside the lab only") {
		t.Errorf("reported %q", r)
	}
	rules := func() string {
		nat, _ := w.Gateway().Rules().Exec([]string{"-t", "nat", "-S"})
		filter, _ := w.Gateway().Rules().Exec([]string{"-S"})
		return nat + filter
	}
	before := rules()
	for _, want := range []string{
		"-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -j DNAT --to-destination 11.11.11.2:80",
		"-A FORWARD -d 11.11.11.2/32 -o br0 -p tcp -m tcp --dport 80 -j ACCEPT",
		"-A POSTROUTING -s 11.11.11.0/24 -d 11.11.11.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
	} {
		if !strings.Contains(before, want+"\n") {
			t.Errorf("want %s in:\n%s", want, before)
		}
	}
	ports := func(text string) []plan.Publish {
		t.Helper()
		all, err := plan.ParsePublish(w.Plan(), "BLUE", text)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if _, err := w.Publish("BLUE", ports("8080:81")[0]); err == nil || !strings.Contains(err.Error(), "publish 192.168.104.2:8080 -> BLUE 11.11.11.3:81/tcp: port 8080/tcp is published already, for RED") {
		t.Errorf("a taken port: %v", err)
	}
	second := ports("127.0.0.1:8081:81/udp")[0]
	if _, err := w.Publish("BLUE", second); err != nil {
		t.Fatal(err)
	}
	if now := rules(); !strings.Contains(now, "-A PREROUTING -d 127.0.0.1/32 -p udp -m addrtype --dst-type LOCAL -m udp --dport 8081") {
		t.Errorf("a port of the loopback:\n%s", now)
	}
	if err := w.Unpublish("BLUE", second); err != nil || rules() != before {
		t.Errorf("unpublished: %v\n%s\nwant\n%s", err, rules(), before)
	}
	if err := w.Unpublish("BLUE", second); err == nil {
		t.Error("unpublished twice")
	}
}

// TestPublishMany: thousands of ports are one line, and are gone with their host; with each kind of rules.
func TestPublishMany(t *testing.T) {
	const count = 4200
	for _, dialect := range []string{"off", "20.10", "classic", "29"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(twoHosts, "RED: {networks: [br0]}", `RED: {networks: [br0], ports: ["10000-14199:10000-14199/udp", "80:80", "81:82"]}`, 1)
			w, r := up(t, strings.Replace(text, "uplink: sim", "uplink: sim, docker_rules: "+dialect, 1), &worldtest.Host{})
			if n := len(w.Published()); n != count+2 {
				t.Fatalf("%d ports are open", n)
			}
			for _, want := range []string{
				"published: 192.168.104.2:10000-14199 -> RED 11.11.11.2:10000-14199/udp; reachable",
				"published: 192.168.104.2:80 -> RED 11.11.11.2:80/tcp; reachable",
				"published: 192.168.104.2:81 -> RED 11.11.11.2:82/tcp; reachable",
			} {
				if strings.Count(r.String(), want) != 1 {
					t.Errorf("reported %q, want %q", r, want)
				}
			}
			if n := strings.Count(r.String(), "published: "); n != 3 {
				t.Errorf("%d lines", n)
			}
			if n := strings.Count(saved(w), "-j DNAT"); n < count+2 {
				t.Errorf("%d rules translate", n)
			}
			if err := w.RemoveHost("RED"); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(saved(w), "-j DNAT"); n != 0 || len(w.Published()) != 0 {
				t.Errorf("%d rules and %d ports are left", n, len(w.Published()))
			}
		})
	}
}

// TestPublishInterrupted: whoever gives up while ports are published gets nothing.
func TestPublishInterrupted(t *testing.T) {
	text := strings.Replace(twoHosts, "RED: {networks: [br0]}", `RED: {networks: [br0], ports: ["10000-29999:10000-29999/udp"]}`, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	host := &worldtest.Host{}
	w, err := world.New(parsed(t, text), world.Options{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for len(w.Published()) == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		stop()
	}()
	if err := w.Up(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("up: %v", err)
	}
	if left := host.Made(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRules(t *testing.T) {
	own := parsed(t, strings.Replace(twoHosts, "uplink: sim", "uplink: sim, rules: ['-P FORWARD DROP']", 1))
	if got, err := world.Rules(own); err != nil || !slices.Equal(got, []string{"-P FORWARD DROP"}) {
		t.Errorf("a lab's own rules: %v, %v", got, err)
	}
	internal := parsed(t, strings.Replace(twoHosts, "br0: {ipam", "br0: {internal: true, x-uswitch: {masquerade: false}, ipam", 1))
	lines, err := world.Rules(internal)
	if text := strings.Join(lines, "\n"); err != nil || strings.Contains(text, "MASQUERADE") || strings.Contains(text, "-o uplink") {
		t.Errorf("an internal network:\n%s", text)
	}
	bad := parsed(t, twoHosts)
	bad.Rules = []string{"-P FORWARD DROP", "-A NOWHERE -j ACCEPT"}
	_, err = world.New(bad, world.Options{})
	if want := `w.yaml: x-uswitch.rules.1: "-A NOWHERE -j ACCEPT": No chain/target/match by that name.`; err == nil || err.Error() != want {
		t.Errorf("a rule in no chain: %v, want %s", err, want)
	}
}

func TestAbsentNamespaces(t *testing.T) {
	for key, text := range map[string]string{
		"w.yaml: services.RED.x-uswitch.netns: namespace nosuch:": strings.Replace(twoHosts, "RED: {", "RED: {x-uswitch: {netns: nosuch}, ", 1),
		"w.yaml: x-uswitch.uplink: namespace nosuch:":             strings.Replace(twoHosts, "uplink: sim", "uplink: {netns: nosuch, address: 192.0.2.2/24, gateway: 192.0.2.1}", 1),
	} {
		w, err := world.New(parsed(t, text), world.Options{Host: &worldtest.Host{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Up(t.Context()); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%v, want %s", err, key)
		}
	}
}

// TestFewDescriptors: what there are no file descriptors for is refused before anything is made, and with a reason.
func TestFewDescriptors(t *testing.T) {
	host := &worldtest.Host{}
	text := strings.Replace(twoHosts, "RED: {networks: [br0]}", `RED: {networks: [br0], ports: ["1000-1099:1000-1099/udp"]}`, 1)
	w, err := world.New(parsed(t, strings.Replace(text, "uplink: sim", "uplink: host", 1)), world.Options{Host: host, Files: 100})
	if err != nil {
		t.Fatal(err)
	}
	want := "2 network interfaces and 100 published ports, each with a file descriptor, and there are 100 for them"
	if err := w.Up(t.Context()); err == nil || !strings.Contains(err.Error(), want) || host.Calls() != 0 {
		t.Errorf("%v after %d calls; want %s, and none", err, host.Calls(), want)
	}
	w, err = world.New(parsed(t, twoHosts), world.Options{Host: host, Files: 2})
	if err == nil {
		err = w.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	third := plan.Host{Name: "PINK", Interfaces: []plan.Interface{{Network: "br0"}}}
	if err := w.AddHost(t.Context(), third); err == nil || !strings.Contains(err.Error(), "host PINK: no file descriptor is left for another network interface: 2 have one") {
		t.Errorf("a third interface: %v", err)
	}
	if err := w.RemoveHost("BLUE"); err != nil {
		t.Fatal(err)
	}
	if err := w.AddHost(t.Context(), third); err != nil {
		t.Errorf("in the place of another: %v", err)
	}
	if err := w.Down(); err != nil || len(host.Made()) != 0 {
		t.Errorf("down: %v; left %v", err, host.Made())
	}
}
