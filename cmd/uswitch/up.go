package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/words"
)

// newUp is run under the name that people know from docker compose, and with its -d.
func newUp() *cobra.Command {
	c := newRun()
	run := c.RunE
	var detach bool
	c.Use = "up [-d] LAB|FILE [flags] [-- COMMAND ...]"
	c.Short = "Bring a lab up, as run does; with -d in the background"
	c.Long = `Brings a lab up as uswitch run does. With -d it stays up in the background until uswitch down, also when its commands
have ended: the command returns when the lab is up, or with the error and the status with which it failed. uswitch ls
lists the labs that are up, uswitch logs shows what their hosts write, uswitch down takes one down. With --sim the lab is
in memory, and lives in real time. Labs in the background print no trace unless --trace asks for it.`
	c.Example = "  uswitch up -d red-blue"
	c.Flags().BoolVarP(&detach, "detach", "d", false, "leave the lab up in the background")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !detach {
			return run(c, args)
		}
		return upInBackground(c.Flags(), args)
	}
	return c
}

// upInBackground starts this very program again, with the flags that it was given.
func upInBackground(given *pflag.FlagSet, args []string) error {
	if len(args) > 1 {
		return usageError{words.Errorf("up -d: a command behind -- needs a lab that ends with it: leave out -d")}
	}
	if given.Changed("web") {
		return usageError{words.Errorf("up -d --web: the page would end with this command: leave out one of the two, or run uswitch web beside the lab")}
	}
	line := []string{"up", "--in-background"}
	if !given.Changed("trace") {
		line = append(line, "--trace=off")
	}
	given.Visit(func(f *pflag.Flag) {
		if f.Name != "detach" {
			line = append(line, again(f)...)
		}
	})
	lab, pid, status, err := session.Background(append(line, args...), os.Stderr)
	if err != nil || status != 0 {
		return failed(status, err)
	}
	fmt.Println(words.In("lab %s is up, as process %d", lab, pid))
	return nil
}

func newDown() *cobra.Command {
	return &cobra.Command{
		Use:   "down [LAB|FILE]",
		Short: "Take a lab down, as stop does; it may be named by its file",
		Long: `Ends the commands of a lab's hosts, removes everything that was made for it, and waits until that is done. The lab
is named, or the file that it was made from; that may be left out if only one is up.`,
		Example:           "  uswitch down red-blue",
		GroupID:           groupLab,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, args []string) error {
			name := append(args, "")[0]
			up, err := findLab(name)
			if info, e := os.Stat(name); err != nil && name != "" && e == nil && !info.IsDir() {
				p, e := session.Read(name, plan.LoadOptions{}, os.Stderr)
				if e != nil {
					return e
				}
				name = p.Name
				up, err = findLab(name)
			}
			if begun, ok := api.FindBegun(name); err != nil && ok {
				return session.StopBegun(c.Context(), begun)
			}
			if err != nil {
				return err
			}
			return session.Stop(c.Context(), up)
		},
	}
}
