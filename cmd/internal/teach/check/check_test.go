package check_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/simhost"
	"uswitch/cmd/internal/teach/check"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/snapshot"
	"uswitch/switch/trace"
)

// subject is a lab in memory in which commands say what the test wants.
type subject struct {
	*world.World
	output string
	status int
	err    error
	deaf   bool      // whatever is sent is not answered
	done   *[]string // in this order
}

func (s subject) Explain(_ context.Context, q api.Question) (*api.Answer, error) {
	s.note("predict")
	l := snapshot.Of(s.World, trace.English)
	defer l.Close()
	return l.Explain(q)
}

func (s subject) WhyNot(_ context.Context, q api.Question) (*api.Advice, error) {
	l := snapshot.Of(s.World, trace.English)
	defer l.Close()
	return l.WhyNot(q)
}

// Send sends each in turn, from the host's own stack, on the lab itself.
func (s subject) Send(ctx context.Context, asked []api.Asked) (all []*api.Sent, err error) {
	s.note("send %d", len(asked))
	l := snapshot.Of(s.World, trace.English)
	defer l.Close()
	for _, a := range asked {
		host, q, err := l.Send(a)
		if err != nil {
			all = append(all, nil)
			continue
		}
		sent := &api.Sent{Verdict: api.No, Heard: "nothing", Tried: a.Predicted}
		if err := s.SimulatedAsk(ctx, s.Host(host), q, 4*time.Second); err == nil && !s.deaf {
			sent.Verdict, sent.Heard = api.Yes, "an answer"
		}
		sent.Differs = sent.Verdict != a.Predicted
		all = append(all, sent)
	}
	return all, nil
}

// note keeps what is done, for a test that asks.
func (s subject) note(format string, args ...any) {
	if s.done != nil {
		*s.done = append(*s.done, fmt.Sprintf(format, args...))
	}
}

// Table has the rules of nat only.
func (s subject) Table(_ context.Context, name string) ([]string, error) {
	s.note("table")
	if name != "rules" {
		return nil, errors.New("no table here")
	}
	text, err := s.Gateway().Rules().Exec([]string{"-t", "nat", "-S"})
	return strings.Split(text, "\n"), err
}

func (s subject) Command(context.Context, string, []string) (string, int, error) {
	s.note("command")
	return s.output, s.status, s.err
}

// plan reads a lab with some checks: FORWARD lets RED's questions out, and not the answers in.
func parsed(t *testing.T, checks ...string) *plan.Plan {
	t.Helper()
	p, err := plan.Parse("lab.yaml", []byte(`
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services:
  RED: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch:
  uplink: sim
  rules: ["-P FORWARD DROP", "-A FORWARD -s 11.11.11.0/24 -j ACCEPT", "-t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE"]
  checks:
    - `+strings.Join(checks, "\n    - ")), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// up brings a lab up in memory.
func up(t *testing.T, p *plan.Plan) *world.World {
	t.Helper()
	host := simhost.NewVirtual()
	w, err := world.New(p, world.Options{Host: host})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Down(), host.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func run(t *testing.T, s subject, checks ...string) *check.Report {
	t.Helper()
	p := parsed(t, checks...)
	s.World = up(t, p)
	return check.Run(context.Background(), s, "lab", p.Checks)
}

func TestOutcomes(t *testing.T) {
	for _, test := range []struct {
		name, check string
		subject     subject
		want        check.State
		why         string
	}{
		{name: "reaches", check: "{name: c, from: RED, to: BLUE}", want: check.Holds},
		{name: "reaches against the wish", check: "{name: c, from: RED, to: BLUE, not: true}", want: check.Fails, why: "It works: RED reaches BLUE"},
		{name: "does not reach", check: "{name: c, from: RED, to: 8.8.8.8}", want: check.Fails, why: "the answer does not come back: at gateway (forward)"},
		{name: "as it should not", check: "{name: c, from: RED, to: 8.8.8.8, not: true, reason: policy-drop}", want: check.Holds},
		{name: "for another reason", check: "{name: c, from: RED, to: 8.8.8.8, not: true, reason: ip-forward-off}", want: check.Fails, why: "for another reason than ip-forward-off"},
		{name: "nobody listens", check: "{name: c, from: RED, to: BLUE, tcp: 80}", want: check.Fails, why: "nobody in BLUE listens"},
		{name: "nobody asks", check: "{name: c, from: GREEN, to: BLUE}", want: check.Unknown, why: `host "GREEN": there is no such host`},
		{name: "a rule on the way", check: "{name: c, from: RED, to: 8.8.8.8, not: true, rule: -t nat -A POSTROUTING -s 11.11.11.0/24}", want: check.Holds},
		{name: "no such rule", check: "{name: c, from: RED, to: BLUE, rule: -j MASQUERADE}", want: check.Fails, why: `no rule on its way has "-j MASQUERADE" in it`},
		{name: "the path", check: "{name: c, from: RED, to: 8.8.8.8, not: true, path: [{way: question, at: gateway, hook: forward, result: allow, rule: -s 11.11.11.0/24}," +
			" {hook: postrouting, becomes: 192.168.104.2}, {way: answer, hook: forward, result: drop, reason: policy-drop, rule: -P FORWARD DROP}]}", want: check.Holds},
		{name: "the path the wrong way round", check: "{name: c, from: RED, to: 8.8.8.8, not: true, path: [{hook: postrouting}, {way: question, hook: forward}]}",
			want: check.Fails, why: "step 2 of the path is not on its way: the question forward"},
		{name: "table", check: "{name: c, table: rules, has: ['-P  POSTROUTING ACCEPT', -j MASQUERADE], lacks: -j DNAT}", want: check.Holds},
		{name: "table lacks", check: "{name: c, table: rules, has: -j DNAT}", want: check.Fails, why: `has no line with "-j DNAT"`},
		{name: "table has", check: "{name: c, table: rules, lacks: -j MASQUERADE}", want: check.Fails, why: `has the line "-A POSTROUTING`},
		{name: "no table", check: "{name: c, table: fdb, has: x}", want: check.Unknown, why: "no table here"},
		{name: "command", check: "{name: c, host: RED, command: ping x, has: 0% loss}", subject: subject{output: "a\n 0%   loss\n"}, want: check.Holds},
		{name: "command fails", check: "{name: c, host: RED, command: ping x}", subject: subject{status: 2}, want: check.Fails, why: "status 2"},
		{name: "command should fail", check: "{name: c, host: RED, command: ping x, status: not 0}", want: check.Fails, why: "status 0"},
		{name: "command fails as it should", check: "{name: c, host: RED, command: ping x, status: not 0, has: unreachable}",
			subject: subject{status: 2, output: "Network is unreachable"}, want: check.Holds},
		{name: "command says too much", check: "{name: c, host: RED, command: ping x, lacks: secret}", subject: subject{output: "a secret"}, want: check.Fails, why: `"a secret"`},
		{name: "no command", check: "{name: c, host: RED, command: ping x}", subject: subject{err: errors.New("no ping here")}, want: check.Unknown, why: "no ping here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := run(t, test.subject, test.check).Outcomes[0]
			if got.State != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%s: %s\nwant %s: ... %s ...", got.State, got.Why, test.want, test.why)
			}
		})
	}
}

// TestRemedy holds the switch to its word: what it proposes for a check makes the check hold.
func TestRemedy(t *testing.T) {
	o := run(t, subject{}, "{name: c, from: RED, to: 8.8.8.8}").Outcomes[0]
	if o.Reason != "policy-drop" || o.Where != "gateway forward" || o.Rule == nil || o.Rule.Text != "-P FORWARD DROP" || len(o.Remedy) != 1 {
		t.Fatalf("%+v, rule %v", o, o.Rule)
	}
	p := parsed(t, "{name: c, from: RED, to: 8.8.8.8}")
	p.Rules = append(p.Rules, strings.TrimPrefix(o.Remedy[0], "uswitch iptables "))
	if r := check.Run(context.Background(), subject{World: up(t, p)}, "lab", p.Checks); r.Status() != 0 {
		t.Errorf("after %q: %+v", o.Remedy, r)
	}
}

const (
	holds   = "{name: %s, from: RED, to: BLUE}"
	fails   = "{name: %s, from: RED, to: 8.8.8.8}"
	unknown = "{name: %s, from: GREEN, to: BLUE}"
)

func TestStatus(t *testing.T) {
	for want, kinds := range map[int][][]string{
		0: {{holds}, {holds, holds}},
		1: {{fails}, {holds, fails}, {unknown, fails, holds}},
		2: {{unknown}, {holds, unknown}},
	} {
		for _, kind := range kinds {
			if got := run(t, subject{}, named(kind)...).Status(); got != want {
				t.Errorf("%v: status %d, want %d", kind, got, want)
			}
		}
	}
}

func named(kinds []string) (checks []string) {
	for i, k := range kinds {
		checks = append(checks, fmt.Sprintf(k, fmt.Sprintf("c%d", i)))
	}
	return checks
}

// TestFormats writes one report in every way, twice: the same bytes come out.
func TestFormats(t *testing.T) {
	r := run(t, subject{}, named([]string{holds, fails, unknown})...)
	for name, write := range map[string]func(io.Writer) error{"text": r.WriteText, "junit": r.WriteJUnit} {
		var first, second bytes.Buffer
		if err := errors.Join(write(&first), write(&second)); err != nil || first.String() != second.String() {
			t.Errorf("%s: %v", name, err)
		}
	}
	var text, junit bytes.Buffer
	_ = r.WriteText(&text)
	_ = r.WriteJUnit(&junit)
	for _, want := range []string{"ok     c0  RED reaches BLUE\n", "FAILS  c1  RED reaches 8.8.8.8\n", "try   uswitch iptables -A FORWARD -d 11.11.11.0/24 -j ACCEPT\n",
		"could not check: host", "lab: 1 hold, 1 fail, 1 could not be checked\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"failure"`
			Error *struct{} `xml:"error"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &suite); err != nil {
		t.Fatalf("%v:\n%s", err, &junit)
	}
	if suite.Tests != 3 || suite.Failures != 1 || suite.Errors != 1 || len(suite.Cases) != 3 || suite.Cases[1].Failure == nil ||
		suite.Cases[1].Failure.Type != "policy-drop" || !strings.Contains(suite.Cases[1].Failure.Text, "try: uswitch iptables") || suite.Cases[2].Error == nil {
		t.Errorf("%s", &junit)
	}
}

// TestQuestion is about everything that a check can ask.
func TestQuestion(t *testing.T) {
	got := check.Question(&plan.AskCheck{From: "RED", To: "BLUE", Protocol: "udp", Port: 53, Size: 9, DF: true})
	if want := (api.Question{From: "RED", To: "BLUE", Protocol: "udp", Port: 53, Size: 9, DontFragment: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestPacketsDecide: a check holds only if the real packet says so too, and nothing is sent before all is read that packets
// would change.
func TestPacketsDecide(t *testing.T) {
	var done []string
	r := run(t, subject{deaf: true, done: &done}, "{name: a, from: RED, to: BLUE}", "{name: b, from: RED, to: BLUE, not: true}",
		"{name: c, table: rules, has: -j MASQUERADE}", "{name: d, from: RED, to: BLUE, not: true, reason: policy-drop}", "{name: e, host: RED, command: ['true']}")
	if want := []string{"predict", "predict", "table", "predict", "command", "send 3"}; !slices.Equal(done, want) {
		t.Errorf("%q, want %q", done, want)
	}
	for i, want := range []struct {
		state check.State
		why   string
	}{{check.Fails, "The prediction was wrong: a real packet was not answered"}, {check.Holds, ""}, {check.Holds, ""},
		{check.Fails, "whether that is because of policy-drop is not known"}, {check.Holds, ""}} {
		if o := r.Outcomes[i]; o.State != want.state || !strings.Contains(o.Why, want.why) || o.State == check.Holds && o.Why != "" {
			t.Errorf("%s: %s: %s\nwant %s: %s", o.Name, o.State, o.Why, want.state, want.why)
		}
	}
	if o := r.Outcomes[1]; o.Sent == nil || !o.Sent.Differs {
		t.Errorf("nobody is told that the prediction was wrong: %+v", o)
	}
	done = nil
	if r := run(t, subject{done: &done}, "{name: a, from: outside, to: gateway}"); r.Outcomes[0].Sent != nil || r.Status() != 0 {
		t.Errorf("from outside nothing can be sent, and the prediction decides: %+v", r.Outcomes[0])
	}
}
