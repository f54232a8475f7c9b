package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// Remembered asks a lab for the steps of a packet that it still remembers.
func Remembered(ctx context.Context, lab *api.Client, packet uint64) (steps []api.Step, err error) {
	err = lab.Get(ctx, "/v1/journey", url.Values{"packet": {strconv.FormatUint(packet, 10)}}, &steps)
	return steps, err
}

// ReplayOptions say how a journey is shown.
type ReplayOptions struct {
	Width  int
	Colour bool
}

// Replay shows a finished journey: to a person with keys one stop at a time, back and forth, and to anybody else all of it.
func Replay(ctx context.Context, steps []api.Step, o ReplayOptions, in, out *os.File, errs io.Writer) error {
	p := newPrinter(out, o.Width, o.Colour)
	looks := make([]look, len(steps)+1) // before each step
	for i := range steps {
		looks[i+1] = looks[i]
		looks[i+1].headers.differences(&steps[i])
	}
	pressed, interactive, end, err := keys(in)
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprintln(errs, words.In(helpChange))
	if !interactive {
		for i := range steps {
			p.step(&steps[i])
			p.packetLines(&steps[i], &looks[0])
		}
		return p.err
	}
	p.out = cooked{out}
	fmt.Fprintln(cooked{errs}, words.In(helpReplay))
	for at := 0; p.err == nil; {
		p.columns("", words.In("(%d of %d)", at+1, len(steps)), "", dim)
		p.step(&steps[at])
		before := looks[at]
		p.packetLines(&steps[at], &before)
		next, quit := turn(ctx, pressed, at, len(steps))
		if quit {
			return nil
		}
		at = next
	}
	return p.err
}

// turn waits for a key that leads to another stop.
func turn(ctx context.Context, pressed <-chan byte, at, stops int) (next int, quit bool) {
	for {
		select {
		case <-ctx.Done():
			return at, true
		case key, ok := <-pressed:
			switch {
			case !ok, key == keyQuit, key == keyCtrlC, key == keyCtrlD:
				return at, true
			case (key == keyNext || key == keySpace || key == keyEnter) && at+1 < stops:
				return at + 1, false
			case key == keyBack && at > 0:
				return at - 1, false
			}
		}
	}
}

// Captured reads the steps of a packet from a file that uswitch capture has written. lost is how many steps of packets the
// file has lost: some of this packet's may be among them.
func Captured(path string, packet uint64) (steps []api.Step, lost uint64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	last, in := uint64(0), pcap.NewReader(file)
	for {
		s, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		last = max(last, s.Packet)
		if s.Packet == packet {
			steps = append(steps, stepOf(s, uint32(len(steps)+1)))
		}
	}
	switch {
	case last == 0:
		return nil, 0, words.Errorf("%s: its packets have no numbers: want a file that uswitch capture -w has written", path)
	case len(steps) == 0 && in.Lost() > 0:
		return nil, 0, words.Errorf("%s: packet %d is not in it, or among the %d steps that the capture has lost; the last one is %d", path, packet, in.Lost(), last)
	case len(steps) == 0:
		return nil, 0, words.Errorf("%s: packet %d is not in it; the last one is %d", path, packet, last)
	}
	return steps, in.Lost(), nil
}

// stepOf says of a captured step what a lab would say of it. The name of the interface is where the step was; all drops
// have one in common.
func stepOf(s pcap.Step, hop uint32) api.Step {
	e := trace.Event{IP: s.IP, Length: s.Length, Frame: frame.Frame{Data: s.Data}}
	h := e.Head(words.In, nil)
	where, what := s.Place()
	step := api.Step{Time: s.Time, Packet: s.Packet, Hop: hop, Where: trace.Printable(where), What: trace.Printable(what), Text: trace.Printable(s.Text),
		Summary: h.Summary(), Length: h.Length, IP: s.IP, Data: s.Data}
	if what == pcap.Dropped {
		step.Verdict = trace.Drop.String()
	}
	return step
}
