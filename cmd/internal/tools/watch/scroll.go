package watch

// scroll is text that grows at its end, and what of it is on the screen.
type scroll struct {
	lines []string
	back  int // lines between the last one and the last one that is shown
	held  bool
	news  int // lines that came while it was held
}

// maxLines bounds what can be scrolled back to.
const maxLines = 5000

// add appends lines. Somebody who has scrolled back goes on to see the same ones.
func (s *scroll) add(lines ...string) {
	if s.held {
		s.news += len(lines)
	}
	if s.held || s.back > 0 {
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

// hold freezes what is shown, or goes to the end again.
func (s *scroll) hold(on bool) {
	s.held, s.news = on, 0
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
