package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/teach/lesson"
	"uswitch/cmd/internal/teach/state"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newLearn() *cobra.Command {
	c := &cobra.Command{
		Use:   "learn [NAME|NUMBER|./FILE.md]",
		Short: "Learn container networking: lessons with a lab, from two namespaces on",
		Long: `Lists the lessons with how far you have come, or plays one: text, commands that Enter runs, and questions whose answers the
switch itself gives. What you reached is kept in $XDG_STATE_HOME/uswitch (~/.local/state/uswitch).

A lesson is a Markdown file with a lab in it; uswitch learn new NAME writes one to begin with.`,
		Example: "  uswitch learn 1",
		GroupID: groupLab, Args: usage(cobra.MaximumNArgs(1)), ValidArgsFunction: completeLessons,
	}
	var rights session.Rights
	o := lesson.Options{Bring: session.BesideWith(&rights), In: os.Stdin, Out: os.Stdout, Errors: os.Stderr}
	c.Flags().BoolVar(&o.Auto, "auto", false, "play without a person; status 0 only if everything is as the lesson says")
	c.Flags().BoolVar(&o.Simulated, "sim", false, "have the lab in memory, without privileges and network interfaces")
	rightsFlags(c, &rights)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		if o.Language, err = lesson.ParseLanguage(words.Spoken()); err != nil {
			return usageError{err}
		}
		if len(args) == 0 {
			return listLessons(o.Language)
		}
		return playLesson(args[0], o)
	}
	c.AddCommand(newLearnNew())
	return c
}

func newLearnNew() *cobra.Command {
	return &cobra.Command{
		Use: "new NAME", Short: "Write a lesson for you to go on from", Example: "  uswitch learn new my-lesson",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := lesson.New(args[0])
			if err == nil {
				fmt.Printf("%s is a lesson that works. Run it with: uswitch learn ./%s\nTry it without a person with: uswitch learn --auto ./%s\n", file, file, file)
			}
			return err
		},
	}
}

// completeLessons offers the built-in lessons.
func completeLessons(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, _ := lesson.All()
	var names []string
	for _, l := range all {
		names = append(names, l.Name+"\t"+l.Titles[lesson.Language(words.Spoken())])
	}
	return names, cobra.ShellCompDirectiveDefault
}

func listLessons(lang lesson.Language) error {
	all, err := lesson.All()
	if err != nil {
		return err
	}
	done := lesson.Progress{}
	dir, err := state.Dir(os.Getenv)
	if err == nil {
		done, err = lesson.LoadProgress(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, err))
	}
	return lesson.List(os.Stdout, all, done, lang)
}

// playLesson plays a lesson and keeps what was reached. Without a person, nobody has reached anything.
func playLesson(name string, o lesson.Options) error {
	l, err := lesson.Find(name)
	if err != nil {
		return err
	}
	o.Width, o.Colour = view.Terminal(os.Stdout)
	if !o.Auto {
		o.Reached = keep(l)
	}
	_, err = lesson.Play(l, o)
	return orSimulated(err, "learn", name)
}

// keep returns what notes how far somebody has come in a lesson. That it cannot be noted is told once, and is no reason to
// end the lesson.
func keep(l *lesson.Lesson) func(done, of int) {
	told := false
	return func(done, of int) {
		dir, err := state.Dir(os.Getenv)
		var p lesson.Progress
		if err == nil {
			p, err = lesson.LoadProgress(dir)
		}
		if err == nil {
			r := p[l.Name]
			p[l.Name] = lesson.Reached{Steps: max(done, r.Steps), Of: of, Done: r.Done || done == of}
			err = p.Save(dir)
		}
		if err != nil && !told {
			fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, err))
			told = true
		}
	}
}
