package learn

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"uswitch/cmd/internal/control"
)

// seen is what a lesson reads of a step of a packet.
type seen struct {
	Packet    uint64   `json:"packet"`
	Hook      string   `json:"hook"`
	Verdict   string   `json:"verdict"`
	Where     string   `json:"where"`
	Port      string   `json:"port"`
	Ports     []string `json:"ports"`
	EtherType string   `json:"ethertype"`
	Text      string   `json:"text"`
}

// watcher collects the trace while a command runs.
type watcher struct {
	mu    sync.Mutex
	steps []seen
	stop  func()
}

// watch begins to listen; nothing that happens after it has returned is missed.
func watch(ctx context.Context, lab *control.Client) (*watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	in, err := lab.Stream(ctx, http.MethodGet, "/v1/trace", control.TraceQuery{Format: "json"}.Query(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	w := &watcher{}
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

// receivers finds out which ports got the first frame of a kind that came from a port, and in which words.
func (w *watcher) receivers(ctx context.Context, from, ethertype string) (ports []string, why string, err error) {
	for end := time.Now().Add(traceTime); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if ports, why = w.look(from, ethertype); ports != nil {
			return ports, why, nil
		}
	}
	return nil, "", errors.Join(errors.New("the trace has no such frame from "+from), ctx.Err())
}

func (w *watcher) look(from, ethertype string) (ports []string, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.steps, func(s seen) bool {
		return s.Hook == "bridge" && s.Port == from && s.EtherType == ethertype && s.Verdict != "drop"
	})
	if i < 0 {
		return nil, ""
	}
	decision := w.steps[i]
	switch decision.Verdict {
	case "flood":
		return decision.Ports, decision.Text
	case "local":
		return []string{"gateway"}, decision.Text
	}
	for _, s := range w.steps[i:] {
		if s.Packet == decision.Packet && s.Hook == "egress" && s.Port != "" {
			return []string{s.Port}, decision.Text
		}
	}
	return nil, ""
}

// ethertypes are the kinds of frames that a question can be about, as the trace writes them.
var ethertypes = map[string]string{"arp": "0x0806", "ip": "0x0800"}
