package join

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// Print writes the crossings, width columns wide: on the left what the first machine did, on the right what the second did. Times are
// milliseconds since the journey began, by the first machine's clock.
func (j *Joined) Print(w io.Writer, width int) error {
	out := bufio.NewWriter(w)
	say := func(text string) {
		for _, line := range trace.Wrap(text, width) {
			fmt.Fprintln(out, line)
		}
	}
	names := j.short()
	say(j.clocks(names))
	for i, name := range names {
		if j.Lost[i] > 0 {
			say(words.In("%s lacks %d steps: the reader was slower than the network.", name, j.Lost[i]))
		}
		if j.Alone[i] > 0 {
			say(words.In("%d datagrams are in %s alone: lost on the way, or not captured on the other machine.", j.Alone[i], name))
		}
	}
	ahead := j.Clocks.Middle()
	for i := range j.Crossings {
		c := &j.Crossings[i]
		fmt.Fprintln(out)
		say(c.From.Summary)
		if c.Datagrams > 1 {
			say(words.In("cut for the tunnel: %d datagrams crossed", c.Datagrams))
		}
		if c.Twins > 0 {
			say(words.In("in doubt: %d frames are equal to the byte, and not all are in both captures: which is which is not known", c.Twins))
		}
		c.print(out, names, ahead, (width-3)/2)
	}
	return out.Flush()
}

// print writes the two halves, a column each.
func (c *Crossing) print(out io.Writer, names [2]string, ahead time.Duration, room int) {
	start := c.From.Steps[0].Time
	if c.From.Capture == 1 {
		start = start.Add(-ahead)
	}
	column := func(h *Half, text string) {
		left, right := text, ""
		if h.Capture == 1 {
			left, right = "", text
		}
		fmt.Fprintln(out, strings.TrimRight(left+strings.Repeat(" ", max(0, room-trace.Columns(left)))+" | "+right, " "))
	}
	for _, h := range []*Half{c.From, c.To} {
		column(h, fmt.Sprintf("%s #%d", names[h.Capture], h.Packet))
		for _, s := range h.Steps {
			at := s.Time
			if h.Capture == 1 {
				at = at.Add(-ahead)
			}
			column(h, fmt.Sprintf("%8.3f %s", float64(at.Sub(start).Microseconds())/1000, s.Where))
			for _, line := range trace.Wrap(s.Text, room-9) {
				column(h, strings.Repeat(" ", 9)+line)
			}
		}
	}
}

// clocks says what is known of the two clocks.
func (j *Joined) clocks(names [2]string) string {
	c := j.Clocks
	switch {
	case c.Low && c.High:
		key, by := trace.Key("The clock of %s is %v ahead of that of %s, to within %v."), c.Middle()
		if by < 0 {
			key, by = trace.Key("The clock of %s is %v behind that of %s, to within %v."), -by
		}
		return words.In(key, names[1], by.Round(time.Microsecond), names[0],
			((c.Most - c.Least) / 2).Abs().Round(time.Microsecond))
	case c.High:
		return words.In("How far the clocks of %s and %s are apart is not known: nothing came back that is beyond doubt. That of %s is at most %v ahead, "+
			"and here it is taken to be so.", names[0], names[1], names[1], c.Most)
	case c.Low:
		return words.In("How far the clocks of %s and %s are apart is not known: nothing went there that is beyond doubt. That of %s is at least %v ahead, "+
			"and here it is taken to be so.", names[0], names[1], names[1], c.Least)
	}
	return words.In("How far the clocks of %s and %s are apart is not known: no crossing is beyond doubt. They are taken to be equal.", names[0], names[1])
}

// short returns the files' names without their directories, if these tell them apart.
func (j *Joined) short() [2]string {
	a, b := filepath.Base(j.Names[0]), filepath.Base(j.Names[1])
	if a == b {
		return j.Names
	}
	return [2]string{a, b}
}
