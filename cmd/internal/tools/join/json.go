package join

import (
	"encoding/json"
	"io"
	"time"
)

// JSON writes the crossings for programs: durations are nanoseconds, and what is not known is null.
func (j *Joined) JSON(w io.Writer) error {
	type step struct {
		Time  time.Time `json:"time"` // of its own machine's clock
		Where string    `json:"where"`
		Text  string    `json:"text"`
	}
	type half struct {
		Capture string `json:"capture"`
		Packet  uint64 `json:"packet"`
		Steps   []step `json:"steps"`
	}
	type crossing struct {
		Summary   string `json:"summary"`
		Datagrams int    `json:"datagrams"`
		Doubt     int    `json:"doubt"` // equal frames of which it is not known which is which
		From      half   `json:"from"`
		To        half   `json:"to"`
	}
	type capture struct {
		Name  string `json:"name"`
		Lost  uint64 `json:"lost"`
		Alone int    `json:"alone"`
	}
	var all struct {
		Captures  []capture      `json:"captures"`
		Least     *time.Duration `json:"ahead_least"` // of the second clock to the first
		Most      *time.Duration `json:"ahead_most"`
		Crossings []crossing     `json:"crossings"`
	}
	for i, name := range j.Names {
		all.Captures = append(all.Captures, capture{name, j.Lost[i], j.Alone[i]})
	}
	if j.Clocks.Low {
		all.Least = &j.Clocks.Least
	}
	if j.Clocks.High {
		all.Most = &j.Clocks.Most
	}
	of := func(h *Half) half {
		told := half{Capture: j.Names[h.Capture], Packet: h.Packet}
		for _, s := range h.Steps {
			told.Steps = append(told.Steps, step(s))
		}
		return told
	}
	for _, c := range j.Crossings {
		all.Crossings = append(all.Crossings, crossing{c.From.Summary, c.Datagrams, c.Twins, of(c.From), of(c.To)})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}
