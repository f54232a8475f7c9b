package lesson

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/teach/check"
)

// Options are how a lesson is played.
type Options struct {
	Bring     check.Bring // required
	Language  Language
	Simulated bool     // the lab is in memory
	Auto      bool     // without a person: everything is run, and nothing may be other than the lesson says
	In        *os.File // required unless Auto: what the person types
	Out       *os.File // required
	Errors    *os.File // required: what the lab itself has to say
	Width     int      // of lines, in columns
	Colour    bool
	// Reached is called when a step is done, with how many there are; it may be nil.
	Reached func(done, of int)
}

// player plays one lesson.
type player struct {
	Options
	lesson  *Lesson
	lab     *api.Client
	subject check.Subject
	shell   *shell
	in      *bufio.Reader
	asked   int // questions
	right   int // that were answered rightly at the first attempt
}

// errQuit is the end of a lesson that somebody has had enough of.
var errQuit = errors.New("the lesson was left")

// Play brings the lab of a lesson up and plays the lesson. It reports whether the lesson was played to its end; the error
// says what was not as the lesson says, or why there is no lab.
func Play(l *Lesson, o Options) (done bool, err error) {
	if !o.Simulated {
		if err := l.ready(); err != nil {
			return false, err
		}
	}
	o.Language = l.Speaks(o.Language)
	p := &player{Options: o, lesson: l, in: bufio.NewReader(o.In)}
	err = o.Bring(l.Plan, o.Simulated, o.Errors, func(ctx context.Context, lab *api.Client) error {
		err := p.play(ctx, lab)
		done = err == nil
		if errors.Is(err, errQuit) || errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
	return done, err
}

// play goes through the steps. Without a person, the first that is not as the lesson says ends it; a person may have changed
// whatever there is, is told what comes of that, and goes on.
func (p *player) play(ctx context.Context, lab *api.Client) (err error) {
	if p.shell, err = newShell(lab.Lab(), p.In, p.Out); err != nil {
		return err
	}
	defer p.shell.close()
	p.lab, p.subject = lab, quiet{check.Live{Lab: lab, Program: p.shell.program}}
	p.heading(p.lesson.Titles[p.Language])
	for i := range p.lesson.Steps {
		s := &p.lesson.Steps[i]
		err := p.step(ctx, s)
		switch {
		case errors.Is(err, errQuit):
			p.say("%s %s", lessonLeft.in(p.Language), p.lesson.Name)
			return err
		case err != nil && (p.Auto || ctx.Err() != nil):
			return fmt.Errorf("%s:%d: %w", p.lesson.File, s.Line, err)
		case err != nil && !errors.Is(err, errOtherwise): // which has been shown
			p.wrap("  ", goesOn.in(p.Language)+" "+err.Error())
			p.say("")
		}
		if p.Reached != nil {
			p.Reached(i+1, len(p.lesson.Steps))
		}
	}
	if p.asked > 0 && !p.Auto {
		p.say("%d/%d %s", p.right, p.asked, rightAnswers.in(p.Language))
	}
	return p.farewell()
}

func (p *player) step(ctx context.Context, s *Step) error {
	switch {
	case s.Text != nil:
		p.tell(s)
		return nil
	case s.Question != nil:
		return p.question(ctx, s.Question)
	case s.Mends != nil:
		return p.mend(ctx, s)
	case s.Fails != nil:
		defer p.say("")
		return p.mustFail(ctx, s.Fails, true)
	case s.Holds != nil:
		defer p.say("")
		return p.mustHold(ctx, s.Holds)
	case s.Real && p.Simulated:
		p.say("  %s\n", p.dim("("+leftOut.in(p.Language)+")"))
		return nil
	}
	for _, c := range s.Commands {
		if _, err := p.command(ctx, s, c); err != nil {
			return err
		}
	}
	return nil
}

// farewell says what to go on with.
func (p *player) farewell() error {
	next, err := p.lesson.next()
	switch {
	case err != nil:
		return err
	case next == nil:
		p.say("%s", lastDone.in(p.Language))
	default:
		p.say("%s uswitch learn %s", lessonDone.in(p.Language), next.Name)
	}
	return nil
}

// say writes a line of the player's own.
func (p *player) say(format string, args ...any) {
	fmt.Fprintf(p.Out, format+"\n", args...)
}

// read reads a line that the person types. At the end of the input, and with a Ctrl-C, the person has left.
func (p *player) read(ctx context.Context) (string, error) {
	type typed struct {
		line string
		err  error
	}
	done := make(chan typed, 1)
	go func() { // only while somebody waits for it: commands read from the terminal too
		line, err := p.in.ReadString('\n')
		done <- typed{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", errQuit
	case t := <-done:
		if t.err != nil && (t.line == "" || !errors.Is(t.err, io.EOF)) {
			return "", errQuit
		}
		return strings.TrimSpace(t.line), nil
	}
}

// quiet is a lab in which a packet of the checks is sent only where it is to bear out that something works: the counters and
// tables that a learner reads tell of the learner's own packets.
type quiet struct{ check.Live }

// Send implements check.Subject.
func (q quiet) Send(ctx context.Context, asked []api.Asked) ([]*api.Sent, error) {
	var some []api.Asked
	var at []int
	for i, a := range asked {
		if a.Predicted != api.No {
			some, at = append(some, a), append(at, i)
		}
	}
	all := make([]*api.Sent, len(asked))
	if len(some) == 0 {
		return all, nil
	}
	sent, err := q.Live.Send(ctx, some)
	if err != nil {
		return nil, err
	}
	for i, s := range sent {
		all[at[i]] = s
	}
	return all, nil
}
