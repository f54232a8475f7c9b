package step

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"uswitch/cmd/internal/control/api"
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
	fmt.Fprintln(errs, helpChange)
	if !interactive {
		for i := range steps {
			p.step(&steps[i])
			p.packetLines(&steps[i], &looks[0])
		}
		return p.err
	}
	p.out = cooked{out}
	fmt.Fprintln(cooked{errs}, helpReplay)
	for at := 0; p.err == nil; {
		p.columns("", fmt.Sprintf("(%d of %d)", at+1, len(steps)), "", dim)
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
