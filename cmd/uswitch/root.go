package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "uswitch",
		Short: "A virtual switch and gateway that say what they do with every packet",
		Long: `uswitch builds a lab - hosts on virtual switches, with a gateway behind them - out of network namespaces and
one process, and says what happens to every packet: where it came from, what was looked up, which rule
decided, how its addresses were translated.`,
		Example:       "  uswitch run red-blue",
		Annotations:   map[string]string{"topics": topicList()},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().Var(language{}, "lang", "speak `"+strings.Join(words.Languages(), "|")+"`; the default is your locale's")
	root.TraverseChildren = true // docker compose -f FILE logs -f
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if words := c.Flags().Args(); c.HasSubCommands() && len(words) > 0 {
			return knownCommand(c, words) // the flags of a command that does not exist
		}
		return usageError{words.Errorf("%s: %w; try %s -h", c.Name(), flagError(err), c.CommandPath())}
	})
	root.SetHelpTemplate(helpTemplate)
	write := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		out, text := c.OutOrStdout(), new(strings.Builder)
		c.SetOut(text)
		write(c, args)
		c.SetOut(out)
		fmt.Fprint(out, fit(text.String()))
	})
	root.SetHelpCommand(&cobra.Command{Hidden: true, GroupID: groupLab})
	root.AddGroup(&cobra.Group{ID: groupLab, Title: "A lab:"}, &cobra.Group{ID: groupLook, Title: "Look at what it does:"},
		&cobra.Group{ID: groupChange, Title: "Change it:"},
		&cobra.Group{ID: groupHost, Title: "The host's commands, as tutorials type them; the host is the gateway and its switches:"},
		&cobra.Group{ID: groupInside, Title: "Small programs for its hosts:"})
	root.AddCommand(commands()...)
	root.CompletionOptions.DisableDefaultCmd = true
	tidy(root)
	return root
}

// language is the option --lang.
type language struct{}

func (language) String() string        { return "" }
func (language) Type() string          { return "language" }
func (language) Set(name string) error { return words.Speak(name) }

// flagError says in its reader's language what is wrong with a flag. Of a number that is none it says what is wanted, where strconv
// says which of its functions failed.
func flagError(err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		return words.Errorf("unknown flag: %s", dashed(unknown.GetSpecifiedName()))
	case errors.As(err, &bare):
		return words.Errorf("flag needs an argument: %s", dashed(bare.GetSpecifiedName()))
	case errors.As(err, &invalid) && errors.As(err, &number):
		want := map[string]string{"int": trace.Key("a whole number"), "uint16": trace.Key("a number from 0 to 65535"), "float64": trace.Key("a number"),
			"bool": trace.Key("true or false"), "stringToInt": trace.Key("NAME=NUMBER, as in web=3")}
		flag := invalid.GetFlag()
		return words.Errorf("--%s %q: want %s", flag.Name, invalid.GetValue(), words.In(cmp.Or(want[flag.Value.Type()], trace.Key("another value"))))
	}
	return err
}

// dashed is how a flag is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// tidy takes out of every help what says nothing: the flag of help itself, and that there are flags.
func tidy(c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	c.InitDefaultHelpFlag()
	c.Flags().Lookup("help").Hidden = true
	for _, sub := range c.Commands() {
		tidy(sub)
	}
}

const (
	groupLab    = "lab"
	groupLook   = "look"
	groupChange = "change"
	groupHost   = "host"
	groupInside = "inside"
)

// helpTemplate ends with the example, which works as it stands: it is what most people look for, and the last thing on
// the screen.
const helpTemplate = `{{with or .Long .Short}}{{. | trimTrailingWhitespaces}}

{{end}}Usage:
  {{if .HasSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if gt (len .Aliases) 0}}
  also: {{.NameAndAliases}}{{end}}
{{if .HasAvailableSubCommands}}{{$root := .}}{{range .Groups}}
{{.Title}}
{{$id := .ID}}{{range $root.Commands}}{{if and (eq .GroupID $id) .IsAvailableCommand}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}{{if not .AllChildCommandsHaveGroup}}
{{range .Commands}}{{if and (eq .GroupID "") .IsAvailableCommand}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}{{end}}{{with index .Annotations "topics"}}
Topics, with uswitch help TOPIC:
{{.}}{{end}}{{with .LocalFlags.FlagUsages | trimTrailingWhitespaces}}
Flags:
{{.}}
{{end}}{{if .HasExample}}
Example:
{{.Example}}
{{end}}`

// knownCommand refuses a word that is no command, and says which it may have been.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError{words.Errorf("%s: there is no such command; did you mean %s?; try %s -h", args[0], strings.Join(near, words.In(" or ")), c.CommandPath())}
	}
	return usageError{words.Errorf("%s: there is no such command; try %s -h", args[0], c.CommandPath())}
}

// usage makes a mistake in the arguments one of usage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{words.Errorf("%s: usage: %s; try %s -h", c.Name(), c.UseLine(), c.CommandPath())}
		}
		return nil
	}
}

// rightsFlags are the options --rootless and --root-only of what brings a lab up; simulate is the one called --sim.
func rightsFlags(c *cobra.Command, rights *session.Rights) {
	choose := func(name, about string, to session.Rights) {
		c.Flags().BoolFunc(name, about, func(text string) error {
			on, err := strconv.ParseBool(cmp.Or(text, "true")) // up -d passes it on without
			if on {
				*rights = to
			}
			return err
		})
	}
	choose("rootless", "run the lab in a user namespace of its own, also as root", session.Rootless)
	choose("root-only", "use the rights that there are, and no user namespace", session.RootOnly)
	c.MarkFlagsMutuallyExclusive("sim", "rootless", "root-only")
}

// newRootlessLab is what a lab without root's rights is run by; it is started by run, up, check and learn.
func newRootlessLab() *cobra.Command {
	return &cobra.Command{
		Use: session.RootlessCommand, Hidden: true, GroupID: groupLab, Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return failed(session.RunRootless()) },
	}
}
