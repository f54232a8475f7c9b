package explain_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// labs is how many labs are generated; each is asked one question, which is then put in earnest.
const labs = 1000

// TestExplainAgrees asks what would become of a packet, and then sends it: verdict, deciding rules and translations must be
// the same, and asking must have changed nothing.
func TestExplainAgrees(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(labs) {
		l := generate(t, seed)
		before := everything(l.world)
		got, err := l.lab().Explain(l.question)
		if err != nil {
			t.Fatalf("seed %d: %v: %v", seed, l.question, err)
		}
		if after := everything(l.world); after != before {
			t.Fatalf("seed %d: asking %v has changed the lab:\n%s\nbecame\n%s", seed, l.question, before, after)
		}
		works, steps := l.really(l.question)
		outcome := "works"
		if !got.Works {
			outcome = got.Stop.Reason
		}
		outcomes[outcome]++
		if got.Works != works {
			t.Errorf("seed %d: %v: explained %v (%s), really %v", seed, l.question, got.Works, got.Sentence, works)
		}
		if got.Works == (got.Stop != nil) {
			t.Errorf("seed %d: %v: works %v and stop %v", seed, l.question, got.Works, got.Stop)
		}
		explained := stepsOf(got)
		if len(steps) > 0 && len(explained) == 0 || !agree(explained, steps, l.question.Protocol == "tcp") {
			t.Errorf("seed %d: %v: explained\n%s\nreally\n%s", seed, l.question, strings.Join(explained, "\n"), strings.Join(steps, "\n"))
		}
		if t.Failed() {
			t.Fatalf("lab:\n%s", l.text)
		}
	}
	t.Log(outcomes)
	for _, needed := range []string{"works", "policy-drop", "netfilter-drop", "netfilter-reject", "ip-innoroutes", "inside-source", "neigh-failed",
		"no-socket", "ip-forward-off", "port-down", "isolated", "timed-out", "unreachable", "frag-needed", "pkt-too-big"} {
		if outcomes[needed] == 0 {
			t.Errorf("no lab came to %s: %v", needed, outcomes)
		}
	}
}

// TestWhyNotMends does what WhyNot proposes in the lab itself, and then sends the packet: it must be answered.
func TestWhyNotMends(t *testing.T) {
	solved, unsolved := 0, map[string]int{}
	for seed := range uint64(labs) {
		l := generate(t, seed)
		before := everything(l.world)
		advice, err := l.lab().WhyNot(l.question)
		if err != nil {
			t.Fatalf("seed %d: %v: %v", seed, l.question, err)
		}
		if after := everything(l.world); after != before {
			t.Fatalf("seed %d: asking %v has changed the lab:\n%s\nbecame\n%s", seed, l.question, before, after)
		}
		q := l.question
		applied := true
		for _, r := range advice.Steps {
			applied = l.obey(t, r.Command, &q) && applied
		}
		switch {
		case advice.Rest != nil:
			unsolved[advice.Rest.Reason]++
		case !advice.Solved:
			unsolved["not known"]++
			continue
		case applied && !advice.Works:
			solved++
		}
		if works, steps := l.really(q); applied && works != advice.Solved {
			t.Fatalf("seed %d: %v: solved %v, really %v after %+v\n%s\nlab:\n%s", seed, q, advice.Solved, works, advice.Steps,
				strings.Join(steps, "\n"), l.text)
		}
	}
	t.Log(solved, "mended; left:", unsolved)
	if unsolved["not known"] > labs/10 {
		t.Errorf("of too many it is not known whether they are mended: %v", unsolved)
	}
	if solved < labs/4 {
		t.Errorf("only %d of %d labs were mended; left: %v", solved, labs, unsolved)
	}
}

// agree reports whether what was explained is what happened first. TCP asks again, so that its steps may have others in
// between.
func agree(explained, steps []string, gaps bool) bool {
	for _, want := range explained {
		i := slices.Index(steps, want)
		if i < 0 || i > 0 && !gaps {
			return false
		}
		steps = steps[i+1:]
	}
	return true
}

// generated is a lab with a question about it.
type generated struct {
	*world
	text     string
	question api.Question
}

// generate makes a lab in which much is right and something may be wrong, with some traffic behind it.
func generate(t testing.TB, seed uint64) *generated {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 6))
	var b strings.Builder
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	var addrs, hosts []string
	networks := 1 + r.IntN(2)
	for n := range networks {
		fmt.Fprintf(&b, "network br%d 10.%d.0.0/24 %s\n", n, n+1, one("", "", "", "", "mtu 1400", "mtu 1400", "gateway none"))
	}
	for n := range networks {
		for h := range 1 + r.IntN(3) {
			name, addr := fmt.Sprintf("H%d%d", n, h), fmt.Sprintf("10.%d.0.%d", n+1, h+2)
			fmt.Fprintf(&b, "host %s br%d %s %s %s\n", name, n, addr, one("", "", "", "", "", "gateway none", fmt.Sprintf("gateway 10.%d.0.99", n+1)),
				one("", "", "", "", "isolated on", "bcast_flood off", "mtu 1300"))
			hosts, addrs = append(hosts, name), append(addrs, addr)
		}
	}
	fmt.Fprintf(&b, "%s\nip_forward %s\n", one("uplink sim", "uplink sim", "uplink sim", "uplink none"), one("1", "1", "1", "1", "1", "0"))
	for range r.IntN(8) {
		fmt.Fprintln(&b, "rule", randomRule(one, addrs))
	}
	l := &generated{text: b.String()}
	l.world = build(t, l.text)
	l.live(r, one, addrs)
	l.question = api.Question{From: one(hosts...), To: one(append(addrs, addrs[0], "10.1.0.1", "10.1.0.77", "8.8.8.8", "8.8.8.8", "203.0.113.9",
		"198.51.100.99", "192.168.104.2", "192.168.104.2")...), Protocol: one("icmp", "tcp", "udp")}
	if l.outside && r.IntN(8) == 0 {
		l.question.From, l.question.To = api.Outsider, "192.168.104.2"
	}
	if l.question.Protocol != "icmp" {
		l.question.Port = []uint16{53, 80, 8080}[r.IntN(3)]
	} else if r.IntN(2) == 0 {
		l.question.Size, l.question.DontFragment = 1250+r.IntN(250), r.IntN(2) == 0
	}
	return l
}

// randomRule is a rule as somebody may have typed it.
func randomRule(one func(...string) string, addrs []string) string {
	net := one("10.1.0.0/24", "10.2.0.0/24", "10.0.0.0/8")
	return one(
		"-P FORWARD "+one("DROP", "ACCEPT"),
		"-A FORWARD "+one("-s ", "-d ")+net+" -j "+one("ACCEPT", "ACCEPT", "DROP", "REJECT"),
		"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-A FORWARD -i br0 -o "+one("br1", "uplink")+" -j "+one("ACCEPT", "LOG", "DROP"),
		"-t nat -A POSTROUTING -s "+net+" -j MASQUERADE",
		"-t nat -A POSTROUTING -s "+net+" ! -o "+one("br0", "br1")+" -j MASQUERADE",
		"-t nat -A POSTROUTING -s 10.1.0.0/24 -o uplink -p udp -j SNAT --to-source 192.168.104.2:"+one("4000", "4000-4002"),
		"-t nat -A PREROUTING -p tcp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT --to-destination "+one(addrs...)+":80",
		"-t nat -A PREROUTING -p udp --dport 53 -j DNAT --to-destination "+one(addrs...),
		"-A INPUT -p "+one("icmp", "tcp")+" -j "+one("DROP", "REJECT"),
		"-A OUTPUT -p icmp -j "+one("DROP", "ACCEPT"),
		"-t raw -A PREROUTING -s "+one(addrs...)+" -j "+one("DROP", "ACCEPT"),
	)
}

// live lets the lab be used for a while: services begin, somebody pings, an interface goes down.
func (l *generated) live(r *rand.Rand, one func(...string) string, addrs []string) {
	for _, h := range l.hosts {
		if r.IntN(2) == 0 {
			h.ServeTCP(80, sim.Page(nil))
		}
		if r.IntN(2) == 0 {
			h.ServeUDP(53, sim.Echo)
		}
		for range r.IntN(3) {
			l.ping(h, ip(one(append(addrs, "8.8.8.8")...)))
		}
	}
	for _, h := range l.hosts {
		setUp(h, r.IntN(12) > 0)
		if r.IntN(6) == 0 {
			l.portMTU(h.Name(), 1300)
		}
	}
	l.run(10 * time.Second) // whoever has asked for a neighbour has given up
	if r.IntN(6) == 0 {
		l.run(301 * time.Second)
	}
}

// portMTU is what a host's interface takes at most.
func (l *generated) portMTU(host string, mtu int) {
	for _, s := range l.Switches() {
		if p, ok := s.Port(host); ok {
			k := p.Flags()
			k.MTU = mtu
			s.SetFlags(p, k)
		}
	}
}

// really puts the question in the lab itself. It returns whether the answer came, and what every step of an IP packet was.
func (l *generated) really(q api.Question) (works bool, steps []string) {
	ring := trace.NewRing(1<<14, 1<<22, 2048)
	l.Tracer().Attach(ring)
	defer l.Tracer().Detach(ring)
	asker := l.Client()
	if h, ok := l.Host(q.From); ok {
		asker = h.Machine
	}
	to := netip.AddrPortFrom(ip(q.To), q.Port)
	heard := func(err error) { works = err == nil }
	switch q.Protocol {
	case "tcp":
		asker.Connect(to, heard)
	case "udp":
		payload := []byte("hello?")
		if q.Port == 53 {
			payload = make([]byte, 12)
		}
		asker.AskUDP(to, payload, 5*time.Second, func(_ []byte, err error) { heard(err) })
	default:
		asker.Ask(sim.Question{Proto: frame.ProtoICMP, To: to, Size: q.Size, DontFragment: q.DontFragment}, 5*time.Second, heard)
	}
	l.run(5 * time.Second)
	for {
		var e trace.Event
		if _, ok := ring.TryNext(&e); !ok {
			return works, steps
		}
		if eth, ok := frame.ParseEthernet(e.Frame.Data); e.IP || ok && eth.Type() == frame.TypeIPv4 {
			steps = append(steps, stepText(&e))
		}
	}
}

// stepText is what a step and its explanation must agree on.
func stepText(e *trace.Event) string {
	where, what := e.Step()
	result, reason, before, after := "ALLOW", "", "", ""
	switch e.Verdict {
	case trace.Drop:
		result, reason = "DROP", e.Reason.String()
	case trace.Queue:
		result = "WAIT"
	case trace.Consume:
		result = "ANSWER"
	case trace.Rewrite:
		before, after = tuple(e, e.Before), tuple(e, e.After)
	}
	return strings.Join([]string{where, what, result, reason, e.Rule, before, after}, " | ")
}

func tuple(e *trace.Event, t frame.Tuple) string {
	if p, ok := e.IPv4(); ok && p.Proto() == frame.ProtoICMP && frame.ICMP(p.Payload()).IsError() {
		return t.Src().String() + " > " + t.Dst().String() // it has no identifier of its own
	}
	if t.Proto == frame.ProtoICMP {
		return t.Source() + " > " + t.Dst().String()
	}
	return t.Source() + " > " + t.Destination()
}

// stepsOf are the phases that the switch and the gateway trace.
func stepsOf(a *api.Answer) (steps []string) {
	for _, p := range a.Phases {
		traced := p.Type != "arp" && p.Type != "deliver" && p.Type != "arrive" && p.Type != "interface" && p.Where != "outside" && (p.Type != "route" || p.Where == "gateway")
		if !traced {
			continue
		}
		text := ""
		if p.Rule != nil {
			text = p.Rule.Text
		}
		steps = append(steps, strings.Join([]string{p.Where, p.Type, string(p.Result), p.Reason, text, p.Before, p.After}, " | "))
	}
	return steps
}

// everything writes down all of a world that a packet could change.
func everything(w *world) string {
	var b strings.Builder
	now := w.Clock().Now()
	for _, s := range w.Switches() {
		fmt.Fprintln(&b, s.Name(), s.Entries(now))
		for _, p := range s.Ports() {
			fmt.Fprintln(&b, p.Name(), p.Flags(), p.Counters())
		}
	}
	g := w.Gateway()
	for _, i := range g.Interfaces() {
		fmt.Fprintln(&b, i.Name(), i.Counters(), i.Neighbors(now))
	}
	fmt.Fprintln(&b, g.Conns(now), g.Deadline(), g.Forwarding(), len(g.Routes()))
	for _, table := range []string{"raw", "filter", "nat"} {
		out, _ := g.Rules().Exec([]string{"-t", table, "-S", "-v"})
		fmt.Fprintln(&b, out)
	}
	for _, h := range w.hosts {
		fmt.Fprintf(&b, "%+v\n", h.State(now))
	}
	for _, r := range trace.Reasons() {
		fmt.Fprint(&b, w.Tracer().Drops(r), " ")
	}
	return b.String()
}

// obey carries out a command of WhyNot's as a person would; false if a simulated lab has no such command.
func (l *generated) obey(t *testing.T, command string, q *api.Question) bool {
	t.Helper()
	words := strings.Fields(command)
	switch {
	case strings.HasPrefix(command, "uswitch iptables "):
		if _, err := l.Gateway().Rules().Exec(words[2:]); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	case command == "uswitch set gateway ip_forward=1":
		l.Gateway().SetForwarding(true)
	case strings.HasPrefix(command, "uswitch set port "):
		for _, s := range l.Switches() {
			if p, ok := s.Port(words[3]); ok {
				s.SetFlags(p, turned(p.Flags(), words[4]))
			}
		}
	case strings.HasPrefix(command, "uswitch exec "):
		h, ok := l.Host(words[2])
		if !ok {
			t.Fatalf("%s: no such host", command)
		}
		return l.obeyInside(h, words[4:], q)
	default:
		return false
	}
	return true
}

// turned is a port's flags with one turned.
func turned(k vswitch.PortFlags, flag string) vswitch.PortFlags {
	switch flag {
	case "isolated=off":
		k.Isolated = false
	case "bcast_flood=on":
		k.BroadcastFlood = true
	case "flood=on":
		k.Flood = true
	}
	return k
}

func (l *generated) obeyInside(h *sim.Host, words []string, q *api.Question) bool {
	switch text := strings.Join(words, " "); {
	case strings.HasPrefix(text, "ip route"):
		return setGateway(h, ip(words[len(words)-1])) == nil
	case strings.HasPrefix(text, "ip link set") && words[len(words)-1] == "up":
		setUp(h, true)
	case strings.HasPrefix(text, "ip link set"):
		mtu := 0
		_, err := fmt.Sscan(words[len(words)-1], &mtu)
		l.portMTU(h.Name(), mtu)
		return err == nil
	case strings.HasPrefix(text, "uswitch serve"):
		h.ServeTCP(q.Port, sim.Page(nil))
		if fmt.Sprint(q.Port) != words[len(words)-1] {
			h.ServeTCP(80, sim.Page(nil))
		}
	case strings.HasPrefix(text, "nc -lku"):
		h.ServeUDP(q.Port, sim.Echo)
	case strings.HasPrefix(text, "ping -M do -s"):
		_, err := fmt.Sscan(words[4], &q.Size)
		return err == nil
	default:
		return false
	}
	return true
}
