package main

import (
	"cmp"
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

func newStop() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:               "stop [LAB]",
		Short:             "Take a lab down",
		Long:              "Ends the commands of a lab's hosts, removes everything that was made for it, and waits until that is done.",
		Example:           "  uswitch stop",
		GroupID:           groupLab,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && name != "" {
				return usageError{words.Errorf("stop: %s and --lab %s: want one of them", args[0], name)}
			}
			lab, err := findLab(append(args, name)[0])
			if err != nil {
				return err
			}
			return session.Stop(c.Context(), lab)
		},
	}
	c.Flags().StringVar(&name, "lab", "", "stop lab `NAME`, as other commands have it")
	_ = c.RegisterFlagCompletionFunc("lab", completeLabs)
	return c
}

func newCleanup() *cobra.Command {
	return &cobra.Command{
		Use:   "cleanup",
		Short: "Remove what labs left behind whose process was killed",
		Long: `Removes namespaces, sockets and locks of labs whose process is gone. It goes by the mark that each lab's
process has put on what it made, and touches nothing else; labs that are up are left alone.`,
		Example: "  uswitch cleanup",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			did, err := session.Cleanup()
			for _, line := range did {
				fmt.Println(line)
			}
			if len(did) == 0 && err == nil {
				fmt.Println("nothing was left behind")
			}
			return err
		},
	}
}

func newApply() *cobra.Command {
	var o session.ApplyOptions
	c := &cobra.Command{
		Use:   "apply LAB|FILE",
		Short: "Make a lab that is up what its file says now",
		Long: `Reads the file again and changes the lab that is up: hosts, networks, interfaces, ports, flags, rules and commands that
are new, gone or different, with a line for each. All else goes on - namespaces, connections, what was added by hand.
A file that is wrong changes nothing; if a change fails, those before it are undone. The lab's name, its way out and
allow_host cannot change while it is up.`,
		Example:           "  uswitch apply red-blue --dry-run",
		GroupID:           groupChange,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: completeBuiltins,
		RunE: func(c *cobra.Command, args []string) error {
			o.Load.Name = cmp.Or(o.Load.Name, os.Getenv("USWITCH_LAB"))
			lines, err := session.Apply(c.Context(), args[0], o, os.Stderr)
			for _, line := range lines {
				fmt.Println(line)
			}
			if len(lines) == 0 && err == nil {
				fmt.Println("nothing to change")
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "only print what would change")
	f.StringVar(&o.Load.Name, "lab", "", "apply the file to lab `NAME`, whatever the file calls it (or set USWITCH_LAB)")
	fileFlags(f, &o.Load)
	f.StringVar(&o.Load.Uplink, "uplink", "", "the `UPLINK` that the lab was brought up with, if that was not the file's")
	f.BoolVar(&o.Keep, "keep", false, "the lab stays up when its commands have ended")
	_ = c.RegisterFlagCompletionFunc("lab", completeLabs)
	return c
}

// fileFlags are those of commands that read a lab file: what docker compose says of its files too.
func fileFlags(f *pflag.FlagSet, load *plan.LoadOptions) {
	f.StringArrayVarP(&load.Files, "file", "f", nil, "put `FILE` on top of the lab's, as docker compose does; - is standard input")
	f.StringArrayVar(&load.EnvFiles, "env-file", nil, "read variables from `FILE`, not from the .env beside the lab's file")
	f.StringArrayVar(&load.Profiles, "profile", nil, "with the services of profile `NAME` (else: those of COMPOSE_PROFILES)")
	f.StringToIntVar(&load.Scale, "scale", nil, "have n hosts of a service, as in `SERVICE=n`")
}

// again is how a flag was given, for a second command line.
func again(f *pflag.Flag) (words []string) {
	slice, ok := f.Value.(pflag.SliceValue)
	switch {
	case ok:
		for _, value := range slice.GetSlice() {
			words = append(words, "--"+f.Name+"="+value)
		}
	case f.Value.Type() == "stringToInt": // whose text is in brackets
		text := f.Value.String()
		words = append(words, "--"+f.Name+"="+text[1:len(text)-1])
	default:
		words = append(words, "--"+f.Name+"="+f.Value.String())
	}
	return words
}
