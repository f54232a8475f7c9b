package watch

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/control/api"
)

// feed is a stream from the lab. Ending it lets all go that it holds.
type feed struct{ end context.CancelFunc }

// breath is how long what a trace prints is collected before the screen is told.
const breath = 30 * time.Millisecond

// start ends the feed before, and reads another one until it ends.
func (m *Model) start(path string, query url.Values, read func(*feed, io.Reader) error) tea.Cmd {
	m.quit()
	ctx, end := context.WithCancel(m.ctx)
	f := &feed{end}
	m.feed = f
	return func() tea.Msg {
		answer, err := m.lab.Stream(ctx, http.MethodGet, path, query, nil)
		if err == nil {
			defer answer.Close()
			err = read(f, answer)
		}
		return endMsg{f, err}
	}
}

// quit ends the feed.
func (m *Model) quit() {
	if m.feed != nil {
		m.feed.end()
		m.feed = nil
	}
}

// follow reads the trace of what the filter wants. While packets are held there is no other feed.
func (m *Model) follow() tea.Cmd {
	if m.session != nil {
		return nil
	}
	q := api.TraceQuery{Format: "text", Filter: m.filter, Width: max(m.width, 60)}
	return m.start("/v1/trace", q.Query(), func(f *feed, in io.Reader) error {
		buffer, rest := make([]byte, 64<<10), ""
		for {
			n, err := in.Read(buffer)
			if err != nil {
				return err
			}
			lines := strings.Split(rest+string(buffer[:n]), "\n")
			rest = lines[len(lines)-1]
			m.send(linesMsg{f, lines[:len(lines)-1]})
			time.Sleep(breath)
		}
	})
}

// hold holds what the filter wants.
func (m *Model) hold() tea.Cmd {
	q := api.StepQuery{Filter: m.filter}
	q.Filter.Drops = false
	return m.start("/v1/step", q.Query(), func(f *feed, in io.Reader) error {
		for lines := json.NewDecoder(in); ; {
			var e api.StepEvent
			if err := lines.Decode(&e); err != nil {
				return err
			}
			m.send(stepMsg{f, e})
		}
	})
}

// readLab asks what there is.
func (m *Model) readLab() tea.Cmd {
	return func() tea.Msg {
		var msg labMsg
		var about api.Lab
		for path, into := range map[string]any{"/v1/hosts": &msg.hosts, "/v1/networks": &msg.networks, "/v1/lab": &about} {
			if m.lab.Get(m.ctx, path, nil, into) != nil {
				return nil // the feed says that the lab is gone
			}
		}
		msg.uplink = about.Uplink
		return msg
	}
}

// readTable asks for the rows of the table that is shown.
func (m *Model) readTable() tea.Cmd {
	t := tables[m.tab]
	return func() tea.Msg {
		rows, err := t.read(m.ctx, m.lab)
		if err != nil {
			return nil
		}
		return tableMsg{t.name, rows}
	}
}
