package watch

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/step"
	"uswitch/switch/trace"
)

// Model is all that the screen shows, and a tea.Model. What it wants from the lab it asks for by commands, which bubbletea
// runs beside it; what comes back are messages.
type Model struct {
	ctx  context.Context
	lab  *api.Client
	send func(tea.Msg) // from a feed, while the program runs

	width, height int
	name          string
	picture       picture
	tab           int
	rows          []string // of the table
	journeys      scroll
	filter        trace.FilterSpec
	filterText    string
	before        kept    // the filter before that one
	input         *string // what is typed behind /, nil: nothing is
	message       string  // for the person, until the next key
	gone          error   // why the lab tells nothing more
	feed          *feed

	session *step.Session // nil: no packets are paused
	steps   scroll
	printed *bytes.Buffer // by session
}

// kept is a filter that the lab has taken.
type kept struct {
	filter trace.FilterSpec
	text   string
}

// New makes a screen for a lab. send hands a message to the program that shows it.
func New(ctx context.Context, lab *api.Client, name string, send func(tea.Msg)) *Model {
	return &Model{ctx: ctx, lab: lab, name: name, send: send, width: 80, height: 24}
}

// Messages.
type (
	// labMsg is the lab as it is.
	labMsg struct {
		hosts    []api.Host
		networks []api.Network
		uplink   string
	}
	// tableMsg is a table as it is.
	tableMsg struct {
		name string
		rows []string
	}
	// linesMsg is what a trace has printed.
	linesMsg struct {
		feed  *feed
		lines []string
	}
	// stepMsg is what the lab tells of packets that are paused.
	stepMsg struct {
		feed  *feed
		event api.StepEvent
	}
	// endMsg is the end of a feed.
	endMsg struct {
		feed *feed
		err  error
	}
	// failMsg is an error of something that was asked for.
	failMsg struct{ err error }
	// tickMsg comes every refresh.
	tickMsg struct{}
)

// refresh is how often tables are read again.
const refresh = 500 * time.Millisecond

func tick() tea.Cmd { return tea.Tick(refresh, func(time.Time) tea.Msg { return tickMsg{} }) }

// Init implements tea.Model.
func (m *Model) Init() tea.Cmd { return tea.Batch(m.readLab(), m.readTable(), m.follow(), tick()) }

// Update implements tea.Model.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 40), max(msg.Height, 10)
		return m, m.follow() // the trace is set in that many columns
	case tea.KeyPressMsg:
		m.message = ""
		return m, m.press(msg)
	case labMsg:
		m.picture.hosts, m.picture.networks, m.picture.uplink = msg.hosts, msg.networks, msg.uplink
	case tableMsg:
		if msg.name == tables[m.tab].name {
			m.rows = msg.rows
		}
	case linesMsg:
		if msg.feed == m.feed {
			m.journeys.add(msg.lines...)
		}
	case stepMsg:
		if msg.feed == m.feed {
			m.take(msg.event)
		}
	case endMsg:
		if msg.feed == m.feed {
			return m, m.ended(msg.err)
		}
	case failMsg:
		m.message = msg.err.Error()
	case tickMsg:
		if m.gone == nil {
			return m, tea.Batch(m.readLab(), m.readTable(), tick())
		}
	}
	return m, nil
}

// take takes what the lab tells of packets that are paused.
func (m *Model) take(e api.StepEvent) {
	if m.session == nil {
		return
	}
	if e.Step != nil {
		m.picture.at = e.Step.Where
	}
	m.session.Take(e)
	text := strings.TrimSuffix(m.printed.String(), "\n")
	if m.printed.Reset(); text != "" {
		m.steps.add(strings.Split(text, "\n")...)
	}
}

// ended says that a feed has, unless it was to.
func (m *Model) ended(err error) tea.Cmd {
	if m.session != nil {
		m.session, m.picture.at = nil, ""
		m.message = err.Error()
		return m.follow()
	}
	var refused *api.Error
	if errors.As(err, &refused) && m.filterText != m.before.text {
		// The lab is there; it is the filter that it does not take: what was typed can be mended, and what was followed goes on.
		wrong := m.filterText
		m.message, m.input = refused.Message, &wrong
		m.filter, m.filterText, m.before = m.before.filter, m.before.text, kept{}
		return m.follow()
	}
	m.gone = err
	return nil
}
