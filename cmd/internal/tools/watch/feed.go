package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/trace"
)

// feed is a stream from the lab. Ending it lets all go that it has paused.
type feed struct{ end context.CancelFunc }

// batchWindow is how long what a trace prints is collected before the screen is told.
const batchWindow = 30 * time.Millisecond

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

// follow reads the trace of what the filter wants. While packets are paused there is no other feed.
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
			time.Sleep(batchWindow)
		}
	})
}

// pause has the lab pause what the filter wants.
func (m *Model) pause() tea.Cmd {
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

// parseFilter reads what a person types behind the key for it: names of hosts and addresses, a protocol, a port, hooks; in
// any order, as in "RED icmp" or "BLUE tcp 80 forward".
func parseFilter(text string, hosts []api.Host) (spec trace.FilterSpec, err error) {
	for _, word := range strings.Fields(text) {
		_, isHook := trace.ParseHook(word)
		port, notNumber := strconv.ParseUint(word, 10, 16)
		switch {
		case slices.ContainsFunc(hosts, func(h api.Host) bool { return h.Name == word }):
			spec.Hosts = append(spec.Hosts, word)
		case word == "drops":
			spec.Drops = true
		case slices.Contains([]string{"arp", "ip", "ipv6", "icmp", "tcp", "udp"}, word):
			if spec.Proto != "" {
				return spec, fmt.Errorf("%s and %s: want one protocol", spec.Proto, word)
			}
			spec.Proto = word
		case isHook:
			spec.Hooks = append(spec.Hooks, word)
		case notNumber == nil && port > 0:
			spec.Port = word
		default: // an address, or a mistake that the lab explains
			spec.Hosts = append(spec.Hosts, word)
		}
	}
	return spec, nil
}

// Run shows a lab on the terminal until the person quits or ctx ends. Whatever was held then goes on.
func Run(ctx context.Context, lab *api.Client) error {
	if !view.IsTerminal(os.Stdin) || !view.IsTerminal(os.Stdout) {
		return errors.New("watch: this is no terminal; uswitch trace prints the same journeys, and uswitch step holds packets")
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var program *tea.Program
	model := New(ctx, lab, lab.Lab(), func(msg tea.Msg) { program.Send(msg) })
	program = tea.NewProgram(model, tea.WithContext(ctx))
	_, err := program.Run()
	switch {
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("watch: %w", err)
	case model.gone != nil:
		fmt.Fprintf(os.Stderr, "uswitch: lab %s is gone\n", lab.Lab())
	}
	return nil
}
