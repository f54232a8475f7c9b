package step

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// Options say which packets are stepped through, and how.
type Options struct {
	Query  api.StepQuery
	Auto   bool          // step without keys, a stop every Delay
	Delay  time.Duration // with Auto
	Count  int           // end when so many packets have come to their end; 0: never
	JSON   bool          // write the stops as the lab tells them, a line each
	Width  int
	Colour bool
}

// Run pauses packets of a lab until ctx ends, the person quits, or Count packets have come to their end. Then all that are
// paused go on. The error is io.EOF or the like when the lab is gone.
func Run(ctx context.Context, lab *api.Client, o Options, in, out *os.File, errs io.Writer) error {
	answer, err := lab.Stream(ctx, http.MethodGet, "/v1/step", o.Query.Query(), nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	r := &run{Options: o, Session: NewSession(out, o.Width, o.Colour), ctx: ctx, lab: lab, errs: errs, encoder: json.NewEncoder(out)}
	r.mute = o.JSON
	var pressed <-chan byte
	if !o.Auto {
		var end func()
		if pressed, r.interactive, end, err = keys(in); err != nil {
			return err
		}
		defer end()
		if r.interactive {
			r.printer.out, r.errs = cooked{out}, cooked{errs}
		}
		fmt.Fprintln(r.errs, words.In(helpStep))
	}
	if !r.JSON {
		fmt.Fprintln(r.errs, words.In(helpMarks))
	}
	return r.loop(events(answer), pressed)
}

// told is a line of the lab's answer, or its end.
type told struct {
	event api.StepEvent
	err   error
}

func events(answer io.Reader) <-chan told {
	c := make(chan told)
	go func() {
		for in := json.NewDecoder(answer); ; {
			var t told
			t.err = in.Decode(&t.event)
			c <- t
			if t.err != nil {
				return
			}
		}
	}()
	return c
}

// run is one Run.
type run struct {
	Options
	*Session
	ctx         context.Context
	lab         *api.Client
	encoder     *json.Encoder
	errs        io.Writer
	interactive bool
	passed      uint64
	early       byte // a line of a script for a stop that is still to come
}

func (r *run) loop(lines <-chan told, pressed <-chan byte) error {
	for r.printer.err == nil {
		var tick <-chan time.Time
		waits := r.Waits()
		if waits && r.Auto {
			tick = time.After(r.Delay)
		}
		if waits && r.early != 0 {
			r.press(r.early)
			r.early = 0
			continue
		}
		select {
		case <-r.ctx.Done():
			return nil
		case t := <-lines:
			if t.err != nil {
				return t.err
			}
			if r.take(t.event); r.Count > 0 && r.ended >= r.Count {
				return nil
			}
		case <-tick:
			r.goOn(false)
		case key, ok := <-r.listens(waits, pressed):
			switch {
			case !ok || key == keyQuit || key == keyCtrlC || key == keyCtrlD:
				return nil
			case waits:
				r.press(key)
			case !r.interactive:
				r.early = key
			}
		}
	}
	return r.printer.err
}

// listens returns the keys if they matter now. A person's always do. Lines of a script are for one stop each, in their order;
// that it ends matters when no packet is on its way, but not before the first one came.
func (r *run) listens(waits bool, pressed <-chan byte) <-chan byte {
	if r.interactive || waits || r.early == 0 && len(r.legs) == 0 && r.begun {
		return pressed
	}
	return nil
}

func (r *run) press(key byte) {
	switch key {
	case keyNext, keySpace, keyEnter:
		r.goOn(false)
	case keyRun:
		r.goOn(true)
	default:
		fmt.Fprintf(r.errs, "%s\n%s\n", words.In(helpStep), words.In(helpMarks))
	}
}

// goOn lets the packet that is shown go on. That it is gone already is no fault.
func (r *run) goOn(all bool) {
	err := r.lab.Do(r.ctx, http.MethodPost, "/v1/step", nil, r.GoOn(all), nil)
	if err != nil && r.ctx.Err() == nil {
		fmt.Fprintf(r.errs, "uswitch: %s\n", words.Text(words.In, err))
	}
}

// take takes what the lab tells.
func (r *run) take(e api.StepEvent) {
	if r.JSON && r.printer.err == nil {
		r.printer.err = r.encoder.Encode(e)
	}
	if e.Passed > r.passed {
		fmt.Fprintln(r.errs, words.In("(%d packets passed by: %d are held already)", e.Passed-r.passed, e.Held))
		r.passed = e.Passed
	}
	r.Take(e)
}

// keys are what a person presses, or the first letters of lines from somewhere else. end gives the terminal back. The
// channel is closed when there are no more.
func keys(in *os.File) (pressed <-chan byte, interactive bool, end func(), err error) {
	if !term.IsTerminal(int(in.Fd())) {
		return letters(in), false, func() {}, nil
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, false, nil, err
	}
	c := make(chan byte)
	go func() {
		defer close(c)
		one := make([]byte, 1)
		for {
			if _, err := in.Read(one); err != nil {
				return
			}
			c <- one[0]
		}
	}()
	return c, true, func() { _ = term.Restore(int(in.Fd()), state) }, nil
}

// letters reads lines; an empty one stands for the next step.
func letters(in io.Reader) <-chan byte {
	c := make(chan byte)
	go func() {
		defer close(c)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			c <- (strings.TrimSpace(lines.Text()) + "n")[0]
		}
	}()
	return c
}

// Keys.
const (
	keyNext  = 'n'
	keySpace = ' '
	keyEnter = '\r'
	keyRun   = 'c'
	keyBack  = 'p'
	keyQuit  = 'q'
	keyCtrlC = 3
	keyCtrlD = 4
)

var (
	helpStep   = trace.Key("Packets stop here. n or space: one hop on; c: let this one run; q: quit, and let all of them go.")
	helpMarks  = trace.Key("Marks: + new, - gone, ~ changed, ? what will be looked at next.")
	helpReplay = trace.Key("n or space: one hop on; p: one back; q: quit.")
	helpChange = trace.Key("Marks: ~ what the step has changed in the packet.")
)

// cooked turns line ends into what a terminal wants that is in raw mode.
type cooked struct{ out io.Writer }

func (c cooked) Write(b []byte) (int, error) {
	_, err := io.WriteString(c.out, strings.ReplaceAll(string(b), "\n", "\r\n"))
	return len(b), err
}
