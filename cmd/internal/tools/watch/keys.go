package watch

import (
	"bytes"
	"net/http"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/tools/step"
)

// Help of the last line.
const (
	helpFollow = "tab: table  /: filter  p: pause  s: step  up, down: scroll  q: quit"
	helpStep   = "n: next hop  c: let it run  s: let all go  tab: table  up, down: scroll  q: quit"
)

// press does what a key asks for.
func (m *Model) press(k tea.KeyPressMsg) tea.Cmd {
	if m.input != nil {
		return m.typed(k)
	}
	switch key := k.String(); key {
	case "q", "ctrl+c":
		m.quit()
		return tea.Quit
	case "tab":
		m.tab, m.rows = (m.tab+1)%len(tables), nil
		return m.readTable()
	case "shift+tab":
		m.tab, m.rows = (m.tab+len(tables)-1)%len(tables), nil
		return m.readTable()
	case "up", "k":
		m.text().move(1, m.textHeight())
	case "down", "j":
		m.text().move(-1, m.textHeight())
	case "pgup":
		m.text().move(m.textHeight(), m.textHeight())
	case "pgdown":
		m.text().move(-m.textHeight(), m.textHeight())
	case "end":
		m.text().freeze(false)
	case "s":
		return m.toggleSteps()
	case "n", "space", "enter", "c":
		return m.goOn(key == "c")
	case "p":
		m.text().freeze(!m.text().frozen)
	case "/":
		if m.session == nil {
			text := m.filterText
			m.input = &text
		}
	}
	return nil
}

// typed edits the filter.
func (m *Model) typed(k tea.KeyPressMsg) tea.Cmd {
	switch key := k.String(); key {
	case "esc", "ctrl+c":
		m.input = nil
	case "enter":
		filter, err := parseFilter(*m.input, m.picture.hosts)
		if err != nil {
			m.message = err.Error()
			return nil
		}
		m.before = kept{m.filter, m.filterText}
		m.filter, m.filterText, m.input = filter, *m.input, nil
		return m.follow()
	case "ctrl+u":
		*m.input = ""
	case "backspace":
		if runes := []rune(*m.input); len(runes) > 0 {
			*m.input = string(runes[:len(runes)-1])
		}
	default:
		*m.input += k.Key().Text
	}
	return nil
}

// toggleSteps begins to pause the packets that match, or lets all go.
func (m *Model) toggleSteps() tea.Cmd {
	if m.session != nil {
		m.session, m.picture.at = nil, ""
		return m.follow()
	}
	m.printed = new(bytes.Buffer)
	m.session = step.NewSession(m.printed, m.width, false)
	m.steps = scroll{}
	return m.pause()
}

// goOn lets the packet that is shown take its next step.
func (m *Model) goOn(run bool) tea.Cmd {
	if m.session == nil || !m.session.Waits() {
		return nil
	}
	m.steps.freeze(false)
	request := m.session.GoOn(run)
	return func() tea.Msg {
		if err := m.lab.Do(m.ctx, http.MethodPost, "/v1/step", nil, request, nil); err != nil {
			return failMsg{err}
		}
		return nil
	}
}

// text is what the lower half of the screen shows.
func (m *Model) text() *scroll {
	if m.session != nil {
		return &m.steps
	}
	return &m.journeys
}
