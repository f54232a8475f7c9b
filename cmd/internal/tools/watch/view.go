package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/trace"
)

// The styles (ECMA-48 SGR), which bubbletea leaves out where the terminal, or NO_COLOR, will not have them. Each says again
// what the text says.
const (
	bold    = "\x1b[1m"
	reverse = "\x1b[7m"
	red     = "\x1b[31m"
	yellow  = "\x1b[33m"
	off     = "\x1b[0m"
)

// View implements tea.Model.
func (m *Model) View() tea.View {
	v := tea.NewView(strings.Join(m.screen(), "\n"))
	v.AltScreen = true
	return v
}

// screen returns the lines of the whole screen.
func (m *Model) screen() []string {
	lines := append([]string{m.title()}, m.top()...)
	lines = append(lines, strings.Repeat("-", m.width))
	for _, line := range m.text().shown(m.textHeight()) {
		lines = append(lines, paint(cut(line, m.width)))
	}
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	return append(lines, m.last())
}

// topHeight is how high the drawing and the table are.
func (m *Model) topHeight() int {
	return min(max(len(m.picture.draw(m.width, m.height)), 6), max(m.height/3, 4))
}

// textHeight is how high the journeys are: what the title, the line below the drawing and the keys leave.
func (m *Model) textHeight() int { return m.height - m.topHeight() - 3 }

// title says which lab this is, and what the screen does.
func (m *Model) title() string {
	what := "following"
	switch waits := 0; {
	case m.gone != nil:
		what = "the lab is gone"
		if refused := (*api.Error)(nil); errors.As(m.gone, &refused) {
			what = refused.Message
		}
	case m.session != nil:
		if waits = m.session.Waiting(); waits == 0 {
			what = "holding, none has come"
		} else {
			what = fmt.Sprintf("holding, %d waiting", waits)
		}
	case m.journeys.frozen:
		what = fmt.Sprintf("paused, %d more lines", m.journeys.news)
	case m.journeys.back > 0:
		what = "scrolled back"
	}
	if m.filterText != "" {
		what += ": " + m.filterText
	}
	left := "uswitch watch: " + m.name
	gap := max(m.width-len(left)-utf8.RuneCountInString(what), 1)
	return bold + cut(left+strings.Repeat(" ", gap)+what, m.width) + off
}

// top is the drawing with the table beside it.
func (m *Model) top() []string {
	height := m.topHeight()
	drawing := m.picture.draw(m.width*2/3, height)
	width := 0
	for _, line := range drawing {
		width = max(width, utf8.RuneCountInString(line))
	}
	beside := m.table(m.width-width-3, height)
	var lines []string
	for i := range height {
		left, right := "", ""
		if i < len(drawing) {
			left = drawing[i]
		}
		if i < len(beside) {
			right = beside[i]
		}
		lines = append(lines, strings.TrimRight(left+strings.Repeat(" ", width-utf8.RuneCountInString(left))+" | "+right, " "))
	}
	return lines
}

// table is the table's name, among the others', and its rows; long ones wrap.
func (m *Model) table(width, height int) []string {
	var names []string
	for i := range tables {
		names = append(names, tables[(m.tab+i)%len(tables)].name)
	}
	names[0] = "[" + names[0] + "]"
	head := cut(strings.Join(names, " "), width)
	shown := utf8.RuneCountInString(names[0])
	lines := []string{reverse + head[:min(shown, len(head))] + off + head[min(shown, len(head)):]}
	if len(m.rows) == 0 {
		return append(lines, "(empty)")
	}
	for _, row := range m.rows {
		for i, part := range trace.Wrap(row, max(width-2, 10)) {
			if i > 0 {
				part = "  " + part
			}
			lines = append(lines, cut(part, width))
		}
	}
	if len(lines) > height {
		lines = append(lines[:height-1], cut(fmt.Sprintf("... %d more lines", len(lines)-height+1), width))
	}
	return lines
}

// last is the line of the keys, of what is typed, or of what is to be said.
func (m *Model) last() string {
	switch {
	case m.message != "":
		return red + cut(trace.Printable(m.message), m.width) + off
	case m.input != nil:
		return cut("filter: "+*m.input+"_   (hosts, icmp, 80, forward ...; empty: all)", m.width)
	case m.session != nil:
		return cut(helpStep, m.width)
	}
	return cut(helpFollow, m.width)
}

// paint sets off what the eye looks for in a line.
func paint(line string) string {
	words := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "#"):
		return bold + line + off
	case slices.Contains(words, "DROP"):
		return red + line + off
	case slices.Contains(words, "becomes"):
		return yellow + line + off
	}
	return line
}

// scroll is text that grows at its end, and what of it is on the screen.
type scroll struct {
	lines  []string
	back   int // lines between the last one and the last one that is shown
	frozen bool
	news   int // lines that came while it was frozen
}

// maxLines bounds what can be scrolled back to.
const maxLines = 5000

// add appends lines. Somebody who has scrolled back goes on to see the same ones.
func (s *scroll) add(lines ...string) {
	if s.frozen {
		s.news += len(lines)
	}
	if s.frozen || s.back > 0 {
		s.back += len(lines)
	}
	s.lines = append(s.lines, lines...)
	if more := len(s.lines) - maxLines; more > 0 {
		s.lines = append([]string(nil), s.lines[more:]...)
	}
}

// move scrolls back by n lines, or forth where n is negative, on a screen of that height.
func (s *scroll) move(n, height int) {
	s.back = max(0, min(s.back+n, len(s.lines)-height))
}

// freeze stops what is shown, or goes to the end again.
func (s *scroll) freeze(on bool) {
	s.frozen, s.news = on, 0
	if !on {
		s.back = 0
	}
}

// shown returns the lines on a screen of that height.
func (s *scroll) shown(height int) []string {
	end := max(0, len(s.lines)-max(s.back, 0))
	if len(s.lines) >= height {
		end = max(end, height)
	}
	return s.lines[max(0, end-height):end]
}
