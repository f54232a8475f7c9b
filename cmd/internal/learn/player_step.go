package learn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"uswitch/cmd/internal/check"
)

// command has one command run: at once, or when the person wants it. The person may run others before.
func (p *player) command(ctx context.Context, s *Step, c Command) error {
	for {
		line, err := p.prompt(ctx, c.Text)
		if err != nil {
			return err
		}
		switch {
		case line == "skip" && s.Mends == nil:
			return nil
		case line == "skip": // what follows rests on it
			line = c.Text
		case line == "hint":
			p.hint(ctx, s)
			continue
		}
		output, status, err := p.shell.run(ctx, line)
		p.say("")
		switch {
		case err != nil && p.Auto:
			return err
		case err != nil:
			p.say("%v", err)
		case p.Auto:
			return s.judge(c, output, status)
		case line == c.Text:
			return nil
		}
	}
}

// prompt shows a command and returns what is to be run: the same where nobody is asked.
func (p *player) prompt(ctx context.Context, command string) (string, error) {
	p.say("  %s", p.bold("$ "+command))
	if p.Auto {
		return command, nil
	}
	fmt.Fprintf(p.Out, "%s ", p.dim("["+enterRuns.in(p.Language)+"; "+commandsHelp.in(p.Language)+"]"))
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
	said := false
	for _, name := range s.Mends {
		for _, line := range check.One(ctx, p.subject, p.lesson.Check(name)).Remedy {
			if !said {
				p.say("%s", theHint.in(p.Language))
			}
			p.say("  %s", line)
			said = true
		}
	}
	if !said {
		p.say("%s", noHint.in(p.Language))
	}
}

// mend has checks fail, commands run, and the checks hold. A person goes on with commands until they do.
func (p *player) mend(ctx context.Context, s *Step) error {
	if err := p.mustFail(ctx, s.Mends, false); err != nil {
		return err
	}
	for _, c := range s.Commands {
		if err := p.command(ctx, s, c); err != nil {
			return err
		}
	}
	for {
		err := p.mustHold(ctx, s.Mends)
		p.say("")
		if err == nil || p.Auto || !errors.Is(err, errOtherwise) {
			return err
		}
		p.say("%s", notMended.in(p.Language))
		if err := p.command(ctx, s, s.Commands[len(s.Commands)-1]); err != nil {
			return err
		}
	}
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
			p.say("  %s %s: %s", p.red("✗"), o.What, mustFail.in(p.Language))
			p.wrap("    ", reason.in(p.Language)+" "+o.Why)
			if o.Rule != nil {
				p.say("    %s", o.Rule.Text)
			}
		}
	}
	return nil
}

// settle is how long what a command has begun may take to be there: a server that starts, say.
const settle = 5 * time.Second

// mustHold makes checks that must hold, again and again until they do or are not going to.
func (p *player) mustHold(ctx context.Context, names []string) error {
	for _, name := range names {
		c := p.lesson.Check(name)
		o := check.One(ctx, p.subject, c)
		for end := time.Now().Add(settle); p.Auto && o.State != check.Holds && time.Now().Before(end) && ctx.Err() == nil; {
			time.Sleep(50 * time.Millisecond)
			o = check.One(ctx, p.subject, c)
		}
		switch o.State {
		case check.Unknown:
			return fmt.Errorf("check %s could not be made: %s", name, o.Why)
		case check.Fails:
			if !p.Auto {
				p.say("  %s %s: %s", p.red("✗"), o.What, mustFail.in(p.Language))
				p.wrap("    ", o.Why)
			}
			return fmt.Errorf("%w: check %s does not hold: %s: %s", errOtherwise, name, o.What, o.Why)
		}
		p.say("  %s %s: %s", p.green("✓"), o.What, mustHold.in(p.Language))
	}
	return nil
}
