package lesson

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// seen is what a lesson reads of a step of a packet.
type seen struct {
	Packet    uint64   `json:"packet"`
	Hook      string   `json:"hook"`
	Verdict   string   `json:"verdict"`
	Port      string   `json:"port"`
	Ports     []string `json:"ports"`
	EtherType string   `json:"ethertype"`
	Text      string   `json:"text"`
	Before    struct {
		Type *uint8 `json:"type"` // of ICMP
	} `json:"before"`
}

// answers reports whether the packet is ICMP, but neither an echo request nor a neighbour solicitation: nobody types a command that
// sends such a one.
func (s seen) answers() bool {
	switch t := s.Before.Type; {
	case t == nil:
		return false
	case s.EtherType == ethertypes["ipv6"]:
		return *t != frame.ICMPv6Echo && *t != frame.ICMPv6Solicit
	default:
		return *t != frame.ICMPEcho
	}
}

// watcher collects the steps of the frames that a question is about, from when it begins to listen.
type watcher struct {
	q     *Question
	mu    sync.Mutex
	steps []seen
	stop  func()
}

// watch begins to listen; nothing that happens after it has returned is missed. The lab sends what the port sends to the
// address of the question and nothing else, so that what others cause is not taken for the answer.
func watch(ctx context.Context, lab *api.Client, q *Question) (*watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	filter := trace.FilterSpec{From: []string{q.From}, Hosts: []string{q.To}, Proto: cmp.Or(map[string]string{"arp": "arp", "ipv6": "ipv6"}[q.Frame], q.protocol())}
	in, err := lab.Stream(ctx, http.MethodGet, "/v1/trace", api.TraceQuery{Format: "json", Filter: filter}.Query(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	w := &watcher{q: q}
	var done sync.WaitGroup
	done.Go(func() {
		for d := json.NewDecoder(in); ; {
			var s seen
			if d.Decode(&s) != nil {
				return
			}
			w.mu.Lock()
			w.steps = append(w.steps, s)
			w.mu.Unlock()
		}
	})
	w.stop = func() {
		cancel()
		in.Close()
		done.Wait()
	}
	return w, nil
}

// traceTime is how long the trace may take to arrive after the command that it is about.
const traceTime = 3 * time.Second

// receivers finds out which ports got the first frame that the question is about, and in which words.
func (w *watcher) receivers(ctx context.Context) (ports []string, why string, err error) {
	for end := time.Now().Add(traceTime); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if ports, why = w.look(); ports != nil {
			return ports, why, nil
		}
	}
	return nil, "", errors.Join(errors.New("the trace has no such frame from "+w.q.From+" to "+w.q.To), ctx.Err())
}

// look follows the first frame that came in at the port of the question: what the switch decided about it, and where it
// went out. The port of a decision is that of the way out, so that it does not tell who sent the frame.
func (w *watcher) look() (ports []string, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.steps {
		if s.Hook != "ingress" || s.Port != w.q.From || s.EtherType != ethertypes[w.q.Frame] || s.answers() {
			continue
		}
		if ports, why = receiversOf(s.Packet, w.steps[i:]); ports != nil {
			return ports, why
		}
	}
	return nil, ""
}

func receiversOf(packet uint64, steps []seen) (ports []string, why string) {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s seen) bool { return s.Packet != packet })
	i := slices.IndexFunc(steps, func(s seen) bool { return s.Hook == "bridge" && s.Verdict != "drop" })
	if i < 0 {
		return nil, ""
	}
	decision := steps[i]
	switch decision.Verdict {
	case "flood":
		return decision.Ports, decision.Text
	case "local":
		return []string{"gateway"}, decision.Text
	}
	for _, s := range steps[i:] {
		if s.Hook == "egress" && s.Port != "" {
			return []string{s.Port}, decision.Text
		}
	}
	return nil, ""
}

// ethertypes are the kinds of frames that a question can be about, as the trace writes them.
var ethertypes = map[string]string{"arp": "0x0806", "ip": "0x0800", "ipv6": "0x86dd"}
