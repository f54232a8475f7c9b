package lesson

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/teach/check"
)

// errMended ends the commands of a step: the person has found a way of their own.
var errMended = errors.New("mended already")

// command has one command run: at once, or when the person wants it. The person may run others before. If one of those
// mends what the step is to mend, the error is errMended.
func (p *player) command(ctx context.Context, s *Step, c Command) (t turn, err error) {
	if t, err = p.await(ctx, s, c); err != nil || t == leftOutTurn {
		return t, err
	}
	output, status, err := p.shell.run(ctx, c.Text)
	p.say("")
	if err == nil && p.Auto {
		err = s.judge(c, output, status)
	}
	return t, err
}

// turn is what the person wants of a command of the lesson's.
type turn int

const (
	ownTurn     turn = iota // it is to be run
	skippedTurn             // it is not wanted, but what follows rests on it: it is to be run
	leftOutTurn             // it is not to be run
)

// await has the person run commands of their own until they have had enough of that.
func (p *player) await(ctx context.Context, s *Step, c Command) (turn, error) {
	for {
		line, err := p.prompt(ctx, s, c.Text)
		switch {
		case err != nil:
			return ownTurn, err
		case line == c.Text:
			return ownTurn, nil
		case line == "skip" && s.Mends == nil && s.Question == nil:
			return leftOutTurn, nil
		case line == "skip":
			return skippedTurn, nil
		case line == "hint":
			p.hint(ctx, s)
			continue
		}
		if _, _, err := p.shell.run(ctx, line); err != nil {
			p.say("%v", err)
		}
		p.say("")
		if p.mended(ctx, s) {
			return ownTurn, errMended
		}
	}
}

// prompt shows a command and returns what is to be run: the same where nobody is asked.
func (p *player) prompt(ctx context.Context, s *Step, command string) (string, error) {
	p.say("  %s", p.bold("$ "+command))
	if p.Auto {
		return command, nil
	}
	help := commandsHelp
	if s.Mends != nil {
		help = mendsHelp
	}
	fmt.Fprintf(p.Out, "%s ", p.dim("["+enterRuns.in(p.Language)+"; "+help.in(p.Language)+"]"))
	line, err := p.read(ctx)
	switch {
	case err != nil:
		return "", err
	case line == "quit":
		return "", errQuit
	case line == "":
		return command, nil
	}
	return line, nil
}

// judge compares how a command has ended with what the lesson says.
func (s *Step) judge(c Command, output string, status int) error {
	switch {
	case s.End == Well && status != 0:
		return fmt.Errorf("`%s` ends with status %d:\n%s", c.Text, status, output)
	case s.End == Badly && status == 0:
		return fmt.Errorf("`%s` should fail, and does not:\n%s", c.Text, output)
	}
	if c != s.Commands[len(s.Commands)-1] {
		return nil
	}
	for _, want := range s.Expect {
		if !strings.Contains(plain(output), plain(want)) {
			return fmt.Errorf("`%s` does not say %q:\n%s", c.Text, want, output)
		}
	}
	return nil
}

// plain makes all blanks alike.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// hint says what the switch would do about the checks of a step.
func (p *player) hint(ctx context.Context, s *Step) {
	var remedy []string
	for _, name := range s.Mends {
		for _, line := range check.One(ctx, p.subject, p.lesson.Check(name)).Remedy {
			if !slices.Contains(remedy, line) {
				remedy = append(remedy, line)
			}
		}
	}
	said := noHint
	if len(remedy) > 0 {
		said = theHint
	}
	p.say("%s", said.in(p.Language))
	for _, line := range remedy {
		p.say("  %s", line)
	}
	p.say("")
}

// mend has checks fail, commands run, and the checks hold. A person goes on with commands until they do, or skips: then the
// lesson's own commands have been run, and whatever has come of them must do.
func (p *player) mend(ctx context.Context, s *Step) error {
	if err := p.mustFail(ctx, s.Mends, false); err != nil {
		return err
	}
	skipped := false
	for _, c := range s.Commands {
		t, err := p.command(ctx, s, c)
		if errors.Is(err, errMended) {
			break
		}
		if err != nil {
			return err
		}
		skipped = skipped || t == skippedTurn
	}
	for {
		err := p.mustHold(ctx, s.Mends)
		if skipped && errors.Is(err, errOtherwise) {
			p.say("  %s", p.dim(leftAsItIs.in(p.Language)))
		}
		p.say("")
		if err == nil || skipped || p.Auto || !errors.Is(err, errOtherwise) {
			return err
		}
		p.say("%s", notMended.in(p.Language))
		t, err := p.command(ctx, s, s.Commands[len(s.Commands)-1])
		if err != nil && !errors.Is(err, errMended) {
			return err
		}
		skipped = t == skippedTurn
	}
}

// mended reports whether the checks that a step is to mend hold; false where it is to mend nothing.
func (p *player) mended(ctx context.Context, s *Step) bool {
	for _, name := range s.Mends {
		if check.One(ctx, p.subject, p.lesson.Check(name)).State != check.Holds {
			return false
		}
	}
	return len(s.Mends) > 0
}

// errOtherwise is a check that is not as the lesson says.
var errOtherwise = errors.New("the lab is not as the lesson says")

// mustFail makes checks that must fail, and shows why they do if the lesson is about that.
func (p *player) mustFail(ctx context.Context, names []string, show bool) error {
	for _, name := range names {
		o := check.One(ctx, p.subject, p.lesson.Check(name))
		switch {
		case o.State == check.Unknown:
			return fmt.Errorf("check %s could not be made: %s", name, o.Why)
		case o.State == check.Holds && p.Auto:
			return fmt.Errorf("%w: check %s holds before it is mended: %s", errOtherwise, name, o.What)
		case o.State == check.Fails && show:
			p.verdict(p.red("✗"), o, mustFail)
			p.wrap("    ", reason.in(p.Language)+" "+o.Why)
			if o.Rule != nil {
				p.say("    %s", o.Rule.Text)
			}
		}
	}
	return nil
}

// settle is how long what a command has begun may take to be there: a server that starts, say. A person who waits has not
// necessarily mended anything, and is told so sooner.
func (p *player) settle() time.Duration {
	if p.Auto {
		return 5 * time.Second
	}
	return 2 * time.Second
}

// mustHold makes checks that must hold, again and again until they do or are not going to.
func (p *player) mustHold(ctx context.Context, names []string) error {
	for _, name := range names {
		c := p.lesson.Check(name)
		o := check.One(ctx, p.subject, c)
		for end := time.Now().Add(p.settle()); o.State != check.Holds && time.Now().Before(end) && ctx.Err() == nil; {
			time.Sleep(50 * time.Millisecond)
			o = check.One(ctx, p.subject, c)
		}
		switch o.State {
		case check.Unknown:
			return fmt.Errorf("check %s could not be made: %s", name, o.Why)
		case check.Fails:
			if !p.Auto {
				p.verdict(p.red("✗"), o, mustFail)
				p.wrap("    ", o.Why)
			}
			return fmt.Errorf("%w: check %s does not hold: %s: %s", errOtherwise, name, o.What, o.Why)
		}
		p.verdict(p.green("✓"), o, mustHold)
	}
	return nil
}

// verdict writes how a check has come out.
func (p *player) verdict(mark string, o check.Outcome, word phrase) {
	for _, line := range wrapped(o.What+": "+word.in(p.Language), max(p.Width-len("  ✗ "), 20)) {
		p.say("  %s %s", mark, line)
		mark = " "
	}
}
