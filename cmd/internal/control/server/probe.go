package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/probe"
	"uswitch/cmd/internal/world/snapshot"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// Bounds of what is sent for real.
const (
	maxProbes = 256                     // under way at once: each is a socket, and two rows in the machine's table of neighbours
	probeTime = time.Second             // how long an answer is waited for: less would take a busy machine for a silent one
	doubtTime = 3200 * time.Millisecond // and then once more, where the prediction is no "no": ARP gives up after 3 s
	minEvents = 1 << 11                 // steps of packets that wait to be looked at
	maxEvents = 1 << 15
	probeSnap = 160 // bytes of each: the headers, and those that an ICMP error quotes
)

// prober sends real packets, a bounded number at a time, and keeps count of what that says of predictions.
type prober struct {
	places chan struct{}
	mu     sync.Mutex
	nextID uint16 // of an echo request
	count  api.Predictions
}

func (p *prober) predictions() api.Predictions {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func (p *prober) id() uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nextID++
	return p.nextID
}

func (p *prober) noteAll(all []*api.Sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range all {
		switch {
		case s == nil:
		case s.Differs:
			p.count.Wrong++
		case s.Verdict == s.Tried && s.Verdict != api.NotKnown:
			p.count.Right++
		default:
			p.count.Unknown++
		}
	}
}

// probes sends questions, each from inside its host, and answers with what became of each; null where nothing can be sent.
func (s *Server) probes(w http.ResponseWriter, r *http.Request) {
	writeWithin(w, askTime+writeTime)
	ctx, cancel := context.WithTimeout(r.Context(), askTime)
	defer cancel()
	var asked []api.Asked
	if err := decode(r, &asked); err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	l := snapshot.Of(s.world, reader(r))
	defer l.Close()
	_ = json.NewEncoder(w).Encode(s.send(ctx, l, asked))
}

// sending is a question that is sent.
type sending struct {
	asked   api.Asked
	host    *world.Host // nil: the gateway
	name    string
	q       sim.Question
	from    netip.AddrPort
	err     error
	notSent bool
	wait    time.Duration
}

// send sends questions side by side, and follows them in the trace. Where nothing can be sent, what it returns is nil.
func (s *Server) send(ctx context.Context, l *explain.Lab, asked []api.Asked) []*api.Sent {
	hosts := map[string]*world.Host{}
	for _, h := range s.world.Hosts() {
		hosts[h.Plan.Name] = h
	}
	all := make([]*sending, len(asked))
	var questions []sim.Question
	for i, a := range asked {
		name, q, err := l.Send(a)
		if h := hosts[name]; err == nil && (h != nil || name == api.Machine) {
			all[i] = &sending{asked: a, host: h, name: name, q: q}
			questions = append(questions, q)
		}
	}
	follower := l.Follow(questions)
	neighbors := s.neighborTables(len(questions), hosts)
	defer neighbors.close()
	overflows := probe.Overflows()
	s.followed(follower, len(questions), func() {
		s.round(ctx, l, neighbors, all, probeTime)
		s.round(ctx, l, neighbors, slices.DeleteFunc(slices.Clone(all), func(p *sending) bool { return p == nil || !p.doubtful() }), doubtTime)
	})
	full := probe.Overflows() > overflows
	sent := make([]*api.Sent, len(all))
	for i, p := range all {
		if p != nil {
			if full && errors.Is(p.err, sim.ErrTimeout) {
				p.err, p.notSent = errTableFull, true
			}
			sent[i] = follower.Sent(p.asked, p.name, p.q, p.from, p.err, p.notSent, p.wait)
		}
	}
	s.prober.noteAll(sent)
	return sent
}

// doubtful reports whether silence may have been too short, or an accident: where it was predicted, it is believed.
func (p *sending) doubtful() bool {
	return errors.Is(p.err, sim.ErrTimeout) && p.asked.Predicted != api.No && p.asked.Question.Protocol != "udp"
}

// round sends questions side by side, and waits for each as long as wait, or as long as there is time for all of them.
func (s *Server) round(ctx context.Context, l *explain.Lab, neighbors neighborTables, all []*sending, wait time.Duration) {
	if end, ok := ctx.Deadline(); ok && len(all) > 0 {
		wait = min(wait, max(probeTime, time.Until(end)*maxProbes/time.Duration(len(all))))
	}
	var under sync.WaitGroup
	for _, p := range all {
		if p == nil {
			continue
		}
		if loop := s.world.Loop(); loop != nil && loop.Virtual() { // one after the other, so that it is the same every time
			s.sendOne(ctx, p, wait)
			continue
		}
		s.prober.places <- struct{}{}
		under.Go(func() {
			defer func() { <-s.prober.places }()
			s.sendOne(ctx, p, wait)
			if owner, source := l.Neighbor(p.name, p.q.To.Addr()); owner != "" {
				neighbors.forget(p.name, p.q.To.Addr())
				neighbors.forget(owner, source)
			}
		})
	}
	under.Wait()
}

// errTableFull is why silence may mean nothing.
var errTableFull = words.Errorf("%w: this machine's table of neighbours was full meanwhile (sysctl net.ipv4.neigh.default.gc_thresh3)", probe.ErrNotSent)

// errNoTime is why some of very many are not sent.
var errNoTime = words.Errorf("%w: the time for all questions was over", probe.ErrNotSent)

// manyProbes is from how many packets on the neighbours are forgotten again that they have made hosts learn.
const manyProbes = 64

// neighborTables are those of hosts, by their names.
type neighborTables map[string]probe.Neighbors

// neighborTables opens the hosts' tables if so many packets go out that the machine's room for them would not do.
func (s *Server) neighborTables(packets int, hosts map[string]*world.Host) neighborTables {
	t := neighborTables{}
	if packets < manyProbes || s.world.Simulated() {
		return t
	}
	for name, h := range hosts {
		if n, err := probe.OpenNeighbors(h.Namespace); err == nil {
			t[name] = n
		}
	}
	return t
}

func (t neighborTables) forget(host string, a netip.Addr) {
	if n, ok := t[host]; ok {
		n.Forget(a)
	}
}

func (t neighborTables) close() {
	for _, n := range t {
		n.Close()
	}
}

// followed has a sink see all that happens while f sends n packets.
func (s *Server) followed(sink trace.Sink, n int, f func()) {
	events := min(maxEvents, minEvents+n*1<<8)
	ring := trace.NewRing(events, events*probeSnap, probeSnap)
	s.world.Tracer().Attach(ring)
	ctx, end := context.WithCancel(context.Background())
	var drained sync.WaitGroup
	drained.Go(func() { _ = ring.Drain(ctx, nil, sink, s.world.Now) })
	f()
	s.world.Tracer().Detach(ring)
	end()
	drained.Wait()
}

// sendOne sends a question once.
func (s *Server) sendOne(ctx context.Context, p *sending, wait time.Duration) {
	p.wait = wait
	if ctx.Err() != nil {
		p.err, p.notSent = errNoTime, true
		return
	}
	if p.host == nil {
		p.err = s.world.GatewayAsk(ctx, p.q, wait)
		p.notSent = p.err != nil && ctx.Err() != nil
	} else if s.world.Simulated() {
		p.err = s.world.SimulatedAsk(ctx, p.host, p.q, wait)
		p.notSent = p.err != nil && ctx.Err() != nil
	} else {
		p.from, p.err = probe.Send(ctx, p.host.Namespace, p.q, s.prober.id(), wait)
		p.notSent = errors.Is(p.err, probe.ErrNotSent)
	}
	if p.notSent && ctx.Err() != nil {
		p.err = errNoTime
	}
}

// settled sends what an answer is about, and has that decide.
func (s *Server) settled(ctx context.Context, l *explain.Lab, a *api.Answer) {
	if a.Stop != nil && a.Address == "" {
		return // there is no address to send it to
	}
	asked := api.Asked{Question: a.Question, Predicted: a.Verdict, Address: a.Address}
	if sent := s.send(ctx, l, []api.Asked{asked})[0]; sent != nil {
		a.Settle(l.In, sent)
	}
}
