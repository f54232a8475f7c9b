package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/teach/breakage"
	"uswitch/cmd/internal/teach/check"
	"uswitch/cmd/internal/teach/state"
	"uswitch/cmd/internal/words"
)

func newBreak() *cobra.Command {
	c := &cobra.Command{
		Use:   "break [LAB]",
		Short: "Break one thing in a lab that is up, for you to find and mend",
		Long: `Breaks one thing in a lab that is up - a rule, a route, an interface, an address ... - and says nothing of what. Find it with
whatever there is: explain, trace, the tables. uswitch check says when all is well again. Nothing outside of the lab is
touched.`,
		Example: "  uswitch break red-blue --seed 7",
		GroupID: groupLab, Args: usage(cobra.MaximumNArgs(1)), ValidArgsFunction: completeLabs,
	}
	seed := c.Flags().Uint64("seed", 0, "choose by `NUMBER`: the same one breaks the same thing in the same lab (0: any)")
	hint := c.Flags().Bool("hint", false, "say what does not work any more since something was broken")
	mend := c.Flags().Bool("mend", false, "mend what was broken, and say what it was")
	c.MarkFlagsMutuallyExclusive("seed", "hint", "mend")
	c.RunE = func(c *cobra.Command, args []string) error {
		name := ""
		if len(args) > 0 {
			name = args[0]
		}
		lab, err := findLab(name)
		if err != nil {
			return err
		}
		dir, err := state.Dir(os.Getenv)
		if err != nil {
			return err
		}
		broken, err := breakage.Load(c.Context(), dir, lab)
		if err != nil {
			return err
		}
		switch {
		case *hint || *mend:
			return tellBroken(c.Context(), dir, lab, broken, *mend)
		case broken != nil:
			return words.Errorf("something is broken in lab %s already: find it, or undo it with uswitch break %s --mend", lab.Lab(), lab.Lab())
		}
		return breakLab(c.Context(), dir, lab, *seed)
	}
	return c
}

func breakLab(ctx context.Context, dir string, lab *api.Client, seed uint64) error {
	subject, err := check.NewLive(lab)
	if err != nil {
		return err
	}
	for seed == 0 {
		seed = rand.Uint64() % 10000 // a number that people can say to each other
	}
	broken, err := breakage.Break(ctx, lab, subject, seed)
	if err != nil {
		return err
	}
	if err := broken.Save(dir); err != nil {
		return errors.Join(err, broken.Fix(ctx, subject))
	}
	fmt.Println(words.In("One thing in lab %s is broken now (seed %d). Find it; uswitch check says when it is mended,\nuswitch break --hint what does not work any more, and uswitch break --mend undoes it.", lab.Lab(), seed))
	return nil
}

// tellBroken gives a hint, or fixes it and says what it was.
func tellBroken(ctx context.Context, dir string, lab *api.Client, broken *breakage.Broken, mend bool) error {
	if broken == nil {
		return words.Errorf("nothing was broken in lab %s", lab.Lab())
	}
	if !mend {
		fmt.Println(broken.Hint)
		return nil
	}
	subject, err := check.NewLive(lab)
	if err != nil {
		return err
	}
	failed := broken.Fix(ctx, subject)
	fmt.Println(words.In("It was %s:", broken.Fault.Name))
	for _, a := range broken.Fault.Break {
		fmt.Printf("  %v\n", a)
	}
	if status := broken.Check(ctx, subject).Status(); status != 0 {
		return errors.Join(words.Errorf("it is undone, and still not everything is as it was: something else has changed"), failed)
	}
	return broken.Forget(dir)
}
