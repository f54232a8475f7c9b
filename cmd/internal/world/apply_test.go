package world_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
)

// shop is a lab, and what can be done to its file.
const shop = `name: w
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  WEB: {networks: [front, back], ports: ["8080:80"], command: sleep 1000}
  DB: {networks: {back: {ipv4_address: 10.2.0.3}}, command: sleep 1001}
  CLIENT: {networks: [front]}
x-uswitch: {uplink: sim, docker_rules: DIALECT}
`

// edits are changes of the shop's file - pairs of what is there, and what comes in its place - and what Apply says of them.
var edits = []struct {
	name  string
	pairs []string
	lines []string
}{
	{"nothing", nil, nil},
	{"a host comes", []string{"  CLIENT:", "  CACHE: {networks: [back], ports: ['8081:81'], command: sleep 1002}\n  CLIENT:"},
		[]string{"+ host CACHE 10.2.0.4"}},
	{"a host goes", []string{"  DB: {networks: {back: {ipv4_address: 10.2.0.3}}, command: sleep 1001}\n", ""}, []string{"- host DB 10.2.0.3"}},
	{"a host takes another's place", []string{"  DB: {", "  SQL: {"},
		[]string{"- host DB 10.2.0.3", "+ host SQL 10.2.0.3"}},
	{"a network comes, and an interface", []string{"services:", "  side: {ipam: {config: [{subnet: 10.3.0.0/24}]}}\nservices:", "CLIENT: {networks: [front]", "CLIENT: {networks: [front, side]"},
		[]string{"+ network side 10.3.0.0/24", "+ interface CLIENT eth1 side 10.3.0.2 02:42:0a:03:00:02"}},
	{"a network goes, and what is on it", []string{"  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}\n", "", "[front, back]", "[front]", "  DB: {networks: {back: {ipv4_address: 10.2.0.3}}, command: sleep 1001}\n", ""},
		[]string{"- published 192.168.104.2:8080 -> WEB 10.2.0.2:80/tcp", "- host DB 10.2.0.3", "- interface WEB eth1 front 10.1.0.2 02:42:0a:01:00:02",
			"- interface WEB eth0 back 10.2.0.2 02:42:0a:02:00:02", "- network back 10.2.0.0/24", "+ interface WEB eth0 front 10.1.0.2 02:42:0a:01:00:02",
			"~ WEB default route via 10.1.0.1 dev eth0", "+ published 0.0.0.0:8080 -> WEB 10.1.0.2:80/tcp"}},
	{"a subnet changes", []string{"10.1.0.0/24", "10.9.0.0/24"},
		[]string{"- interface WEB eth1 front 10.1.0.2 02:42:0a:01:00:02", "- interface CLIENT eth0 front 10.1.0.3 02:42:0a:01:00:03", "- network front 10.1.0.0/24",
			"+ network front 10.9.0.0/24", "+ interface WEB eth1 front 10.9.0.2 02:42:0a:09:00:02", "+ interface CLIENT eth0 front 10.9.0.3 02:42:0a:09:00:03",
			"~ CLIENT default route via 10.9.0.1 dev eth0"}},
	{"an address changes", []string{"10.2.0.3", "10.2.0.77"},
		[]string{"- interface DB eth0 back 10.2.0.3 02:42:0a:02:00:03", "+ interface DB eth0 back 10.2.0.77 02:42:0a:02:00:4d", "~ DB default route via 10.2.0.1 dev eth0"}},
	{"port flags", []string{"10.2.0.3", "10.2.0.3, x-uswitch: {isolated: true, storm_limit: 7}",
		"  front: {ipam", "  front: {x-uswitch: {ageing_time: 10, fdb: [{mac: '02:00:00:00:00:66', host: WEB}]}, ipam"},
		[]string{"~ network front ageing_time=10 fdb", "~ port DB back isolated=on storm_limit=7"}},
	{"rules of a network", []string{"  front: {ipam", "  front: {internal: true, ipam"}, []string{"~ CLIENT no default route", "~ network front internal=on"}},
	{"ports", []string{`"8080:80"`, `"8080:81", "8082:82/udp"`},
		[]string{"- published 192.168.104.2:8080 -> WEB 10.2.0.2:80/tcp", "+ published 0.0.0.0:8080 -> WEB 10.2.0.2:81/tcp", "+ published 0.0.0.0:8082 -> WEB 10.2.0.2:82/udp"}},
	{"commands", []string{"sleep 1001", "sleep 1003", ", command: sleep 1000", "", "CLIENT: {", "CLIENT: {command: sleep 1004, environment: {A: b}, "},
		[]string{"~ WEB command stopped", "~ DB command restarted", "~ CLIENT command started"}},
	{"rules", []string{"uplink: sim,", "uplink: sim, rules: ['-P FORWARD DROP', '-A FORWARD -j ACCEPT'], ip_forward: false,"},
		[]string{"~ gateway ip_forward=0", "~ rules"}},
	{"words", []string{"CLIENT: {networks: [front]", "CLIENT: {networks: {front: {aliases: [me]}}, x-uswitch: {passive: true}", "uplink: sim,", "uplink: sim, keep_up: true,"},
		[]string{"~ CLIENT passive=on front.aliases"}},
}

// edited returns the shop's file after an edit.
func edited(text string, pairs []string) string { return strings.NewReplacer(pairs...).Replace(text) }

// reload reads a file for a world that is up, as uswitch apply does.
func reload(t *testing.T, w *world.World, text string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("w.yaml", []byte(text), plan.LoadOptions{Keep: w.Plan(), Filed: w.Filed()})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(p) // it comes over a socket
	if err != nil {
		t.Fatal(err)
	}
	received := &plan.Plan{}
	if err := json.Unmarshal(data, received); err != nil {
		t.Fatal(err)
	}
	return received
}

// startAll starts every command, as Run does.
func startAll(t *testing.T, w *world.World) {
	t.Helper()
	for _, h := range w.Hosts() {
		if len(h.Plan.Command) > 0 {
			if err := w.StartHost(h.Plan.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// processes returns the numbers of the hosts' processes.
func processes(w *world.World) map[string]int {
	all := map[string]int{}
	for _, h := range w.Hosts() {
		_, pid, _ := h.Service()
		all[h.Plan.Name] = pid
	}
	return all
}

// TestApply makes each edit, and looks whether there is exactly what a lab has that began with it; and takes it back.
func TestApply(t *testing.T) {
	for _, dialect := range []string{"off", "20.10", "classic", "29"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(shop, "DIALECT", dialect, 1)
			for _, edit := range edits {
				t.Run(edit.name, func(t *testing.T) { testApply(t, text, edit.pairs, edit.lines) })
			}
		})
	}
}

func testApply(t *testing.T, text string, pairs, want []string) {
	host, direct := &worldtest.Host{}, &worldtest.Host{}
	w, _ := up(t, text, host)
	startAll(t, w)
	first, before := describe(t, w, host), processes(w)
	plan := reload(t, w, edited(text, pairs))

	preview, err := w.Preview(t.Context(), plan)
	if err != nil || !slices.Equal(preview, want) {
		t.Errorf("preview: %v\n%s\nwant\n%s", err, strings.Join(preview, "\n"), strings.Join(want, "\n"))
	}
	if now := describe(t, w, host); now != first {
		t.Errorf("the preview has changed something:\n%s\nwant\n%s", now, first)
	}
	lines, err := w.Apply(t.Context(), plan)
	if err != nil || !slices.Equal(lines, want) {
		t.Fatalf("%v\n%s\nwant\n%s", err, strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	other, err := world.New(plan, world.Options{Host: direct})
	if err == nil {
		err = other.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer other.Down()
	sameSet(t, describe(t, w, host), describe(t, other, direct))

	for name, pid := range processes(w) {
		had, was := before[name]
		changed := slices.ContainsFunc(want, func(l string) bool { return strings.HasPrefix(l, "~ "+name+" command") })
		if h := w.Host(name).Plan; len(h.Command) > 0 && pid == 0 {
			t.Errorf("%s does not run", name)
		} else if was && !changed && pid != had {
			t.Errorf("%s is process %d now, and was %d", name, pid, had)
		}
	}
	if again, err := w.Apply(t.Context(), plan); err != nil || len(again) > 0 {
		t.Errorf("a second time there is still something to do: %v %v", again, err)
	}
	if _, err := w.Apply(t.Context(), reload(t, w, text)); err != nil {
		t.Fatalf("back: %v", err)
	}
	sameSet(t, describe(t, w, host), first)
}

// sameSet compares the lines of two texts, in whatever order they stand: rules of the same chain may.
func sameSet(t *testing.T, got, want string) {
	t.Helper()
	sorted := func(text string) []string { return slices.Sorted(strings.SplitSeq(text, "\n")) }
	a, b := sorted(got), sorted(want)
	if slices.Equal(a, b) {
		return
	}
	for _, line := range a {
		if !slices.Contains(b, line) {
			t.Errorf("there is, and should not be: %s", line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			t.Errorf("there is not: %s", line)
		}
	}
	if !t.Failed() {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestApplyFailures lets each call of an edit fail, one after the other: the lab is as before, and the error says so.
func TestApplyFailures(t *testing.T) {
	for _, dialect := range []string{"off", "20.10", "classic", "29"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(shop, "DIALECT", dialect, 1)
			for _, edit := range edits {
				t.Run(edit.name, func(t *testing.T) {
					host := &worldtest.Host{}
					w, _ := up(t, text, host)
					startAll(t, w)
					before := describe(t, w, host)
					for n := 1; n < 50; n++ {
						plan := reload(t, w, edited(text, edit.pairs))
						host.Fail(n)
						_, err := w.Apply(t.Context(), plan)
						host.Fail(0)
						if err == nil {
							break // there were not so many calls
						}
						if !errors.Is(err, worldtest.ErrTold) || !strings.Contains(err.Error(), "the lab is as before") {
							t.Errorf("call %d fails: %v", n, err)
						}
						sameSet(t, describe(t, w, host), before)
						for name, pid := range processes(w) {
							if len(w.Host(name).Plan.Command) > 0 && pid == 0 {
								t.Errorf("call %d fails, and %s does not run any more", n, name)
							}
						}
					}
				})
			}
		})
	}
}

// TestApplyRefuses has plans that cannot be applied: nothing is touched, and the error says what is wrong.
func TestApplyRefuses(t *testing.T) {
	text := strings.Replace(shop, "DIALECT", "off", 1)
	host := &worldtest.Host{}
	w, _ := up(t, text, host)
	startAll(t, w)
	before := describe(t, w, host)
	for name, c := range map[string]struct {
		change func(*plan.Plan)
		want   string
	}{
		"another name":        {func(p *plan.Plan) { p.Name = "v" }, "name (w -> v) cannot change while lab w is up: that needs uswitch down w and uswitch up"},
		"another way out":     {func(p *plan.Plan) { p.Uplink.Kind = plan.UplinkHost }, "uplink (sim -> host) cannot change"},
		"this machine":        {func(p *plan.Plan) { p.AllowHost = true }, "allow_host (false -> true) cannot change"},
		"a name with a slash": {func(p *plan.Plan) { p.Hosts[0].Name = "../x" }, `w.yaml: host name "../x": want letters`},
		"one address twice":   {func(p *plan.Plan) { p.Hosts[1].Interfaces[0].Address = p.Hosts[0].Interfaces[0].Address }, "Address already in use: WEB has it"},
		"a foreign address":   {func(p *plan.Plan) { p.Hosts[2].Interfaces[0].Address = netip.MustParsePrefix("9.9.9.9/24") }, "want the address of a station in 10.1.0.0/24"},
		"overlapping subnets": {func(p *plan.Plan) {
			p.Networks[1].Subnet, p.Networks[1].Gateway = p.Networks[0].Subnet, p.Networks[0].Gateway
		}, "Pool overlaps with other one on this address space: network front has 10.1.0.0/24"},
		"no such network":    {func(p *plan.Plan) { p.Hosts[2].Interfaces[0].Network = "side" }, "there is no such network; there are front, back"},
		"a rule in no chain": {func(p *plan.Plan) { p.Rules = []string{"-A NOWHERE -j ACCEPT"} }, `x-uswitch.rules.0: "-A NOWHERE -j ACCEPT": No chain`},
		"no program":         {func(p *plan.Plan) { p.Hosts[1].Command = []string{"no-such-program"} }, "host DB: no program no-such-program on this machine's PATH"},
		"no directory":       {func(p *plan.Plan) { p.Hosts[1].WorkingDir = "/no/such" }, "host DB: working directory /no/such: no such file or directory"},
		"no namespace":       {func(p *plan.Plan) { p.Hosts[2].Netns = "nosuch" }, "services.CLIENT.x-uswitch.netns: namespace nosuch"},
		"a port twice":       {func(p *plan.Plan) { p.Hosts[1].Ports = []plan.Publish{p.Hosts[0].Ports[0]} }, "want an address of the host"},
		"nothing at all":     {func(p *plan.Plan) { *p = plan.Plan{} }, "name (w -> ), uplink (sim -> ) cannot change"},
	} {
		t.Run(name, func(t *testing.T) {
			labPlan := reload(t, w, text)
			c.change(labPlan)
			for _, try := range []func(context.Context, *plan.Plan) ([]string, error){w.Preview, w.Apply} {
				if _, err := try(t.Context(), labPlan); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %s", err, c.want)
				}
			}
			if after := describe(t, w, host); after != before {
				t.Errorf("something has changed:\n%s\nwant\n%s", after, before)
			}
		})
	}
}

// TestApplyKeepsOwn has things that were added by hand, or changed: they stay, and take nothing that the file needs.
func TestApplyKeepsOwn(t *testing.T) {
	text := strings.Replace(shop, "DIALECT", "classic", 1)
	w, _ := up(t, text, &worldtest.Host{})
	ctx := t.Context()
	own := "-A DOCKER-USER -s 10.9.9.9/32 -j DROP"
	for name, err := range map[string]error{
		"network":   w.AddNetwork(ctx, newNetwork("mine")),
		"host":      w.AddHost(ctx, plan.Host{Name: "MINE", Interfaces: []plan.Interface{{Network: "front"}}}),
		"interface": w.Connect(ctx, "CLIENT", plan.Interface{Network: "back"}),
		"rule":      w.Gateway().Rules().Apply([]string{own}),
		"flag":      w.Set(world.Change{Kind: "port", Name: "DB", Values: map[string]string{"flood": "off"}}),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := w.RemoveHost("WEB"); err != nil {
		t.Fatal(err)
	}
	lines, err := w.Apply(ctx, reload(t, w, edited(text, []string{"  CLIENT:", "  NEW: {networks: [front]}\n  CLIENT:"})))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"+ host WEB 10.2.0.2 10.1.0.2", "+ host NEW 10.1.0.5"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	if w.Network("mine") == nil || w.Host("MINE") == nil || len(w.Host("CLIENT").NICs) != 2 || !strings.Contains(saved(w), own) {
		t.Errorf("something that was made by hand is gone: %v\n%s", w.Plan(), saved(w))
	}
	if port, _ := w.Network("back").Switch.Port("DB"); port.Flags().Flood {
		t.Error("a flag that was turned by hand is as before")
	}
	if _, err := w.Apply(ctx, reload(t, w, edited(text, []string{"CLIENT: {networks: [front]}", "CLIENT: {networks: {front: {ipv4_address: 10.1.0.4}}}"}))); err == nil ||
		!strings.Contains(err.Error(), "with what was added by hand: host MINE on front: 10.1.0.4 02:42:0a:01:00:04: Address already in use: CLIENT has it") {
		t.Errorf("an address that is taken: %v", err)
	}
}
