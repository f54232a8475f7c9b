package watch

import (
	"uswitch/cmd/internal/control/api"
)

// SetLab gives the screen a lab to draw.
func (m *Model) SetLab(hosts []api.Host, networks []api.Network, uplink string) {
	m.Update(labMsg{hosts, networks, uplink})
}

// SetRows gives the screen the rows of the table that is shown.
func (m *Model) SetRows(rows ...string) { m.Update(tableMsg{tables[m.tab].name, rows}) }

// AddLines gives the screen lines of the trace.
func (m *Model) AddLines(lines ...string) { m.Update(linesMsg{m.feed, lines}) }

// AddStep gives the screen what the lab tells of a packet that is held.
func (m *Model) AddStep(e api.StepEvent) { m.Update(stepMsg{m.feed, e}) }

// End ends the feed.
func (m *Model) End(err error) { m.Update(endMsg{m.feed, err}) }

// ParseFilter is parseFilter.
var ParseFilter = parseFilter

// Draw draws a lab.
func Draw(hosts []api.Host, networks []api.Network, uplink, at string, width, height int) []string {
	return (&picture{hosts, networks, uplink, at}).draw(width, height)
}
