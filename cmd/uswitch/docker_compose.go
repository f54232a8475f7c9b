package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	composetypes "github.com/compose-spec/compose-go/v2/types"
	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/compose"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
)

// composeOptions are the flags between docker compose and what it is to do.
type composeOptions struct {
	load      plan.LoadOptions
	directory string
}

func newDockerCompose(use string) *cobra.Command {
	o := &composeOptions{}
	c := &cobra.Command{
		Use:   use,
		Short: "Projects of several containers, as docker compose has them",
		Long: `Makes the networks and containers of a Compose project in the lab that uswitch docker acts on: a network is one more
bridge of the same machine, a container runs what uswitch docker run would. Without -f the project is compose.yaml,
compose.yml, docker-compose.yaml or docker-compose.yml here or in a directory above, with the override file beside it,
or what COMPOSE_FILE says. uswitch docker-compose is the same. (uswitch up FILE makes a lab of its own of a file.)`,
		Example: "  echo 'services: {web: {image: nginx}}' | uswitch docker compose -f - up -d",
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := c.Flags()
	f.StringArrayVarP(&o.load.Files, "file", "f", nil, "read the project from `FILE`; each further one goes on top; - is standard input")
	f.StringVarP(&o.load.Name, "project-name", "p", "", "call the project `NAME`, in place of what its file or directory says")
	f.StringArrayVar(&o.load.EnvFiles, "env-file", nil, "read variables from `FILE`, not from the .env beside the project's file")
	f.StringArrayVar(&o.load.Profiles, "profile", nil, "with the services of profile `NAME` (else: those of COMPOSE_PROFILES)")
	f.StringVar(&o.directory, "project-directory", "", "be in `DIRECTORY`")
	c.AddCommand(newComposeUp(o), newComposeDown(o), newComposePs(o), newComposeLogs(o), newComposeExec(o), newComposeConfig(o))
	return c
}

// dockerComposeAlone is docker compose under the name that it had as a program of its own.
func dockerComposeAlone() *cobra.Command {
	c := newDockerCompose("docker-compose")
	c.Hidden = true // beside docker compose
	dockerLabFlag(c)
	return c
}

// composeFiles are the names that a project's file may have, and those that go on top of it.
var (
	composeFiles     = []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}
	composeOverrides = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
)

// project reads the project, and tells of what nobody acts on.
func (o *composeOptions) project() (*composetypes.Project, error) {
	if o.directory != "" {
		if err := os.Chdir(o.directory); err != nil {
			return nil, err
		}
	}
	files := o.load.Files
	if len(files) == 0 && os.Getenv("COMPOSE_FILE") != "" {
		files = strings.Split(os.Getenv("COMPOSE_FILE"), cmp.Or(os.Getenv("COMPOSE_PATH_SEPARATOR"), string(filepath.ListSeparator)))
	}
	if len(files) == 0 {
		var err error
		if files, err = findComposeFiles(); err != nil {
			return nil, err
		}
	}
	load := o.load
	load.Files = files[1:]
	return session.ReadProject(files[0], load, os.Stderr)
}

// findComposeFiles looks for a project's files here, and then in each directory above.
func findComposeFiles() ([]string, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		there := func(name string) bool {
			info, err := os.Stat(filepath.Join(dir, name))
			return err == nil && info.Mode().IsRegular()
		}
		if i := slices.IndexFunc(composeFiles, there); i >= 0 {
			files := []string{filepath.Join(dir, composeFiles[i])}
			if j := slices.IndexFunc(composeOverrides, there); j >= 0 {
				files = append(files, filepath.Join(dir, composeOverrides[j]))
			}
			return files, nil
		}
		if dir == filepath.Dir(dir) {
			return nil, fmt.Errorf("no configuration file provided: not found (%s here or in a directory above, or -f FILE)", strings.Join(composeFiles, ", "))
		}
	}
}

// composing returns what acts on projects in a lab, and says on standard error what it does.
func composing(d *client.Client) *compose.Compose {
	return &compose.Compose{Docker: d, Say: os.Stderr}
}

// idleUp are flags of docker compose up that are about images. They are taken, so that lines of a tutorial work, and told of.
var idleUp = []string{"build", "no-build", "quiet-pull"}

func newComposeUp(o *composeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "up [flags] [SERVICE ...]",
		Short:   "Make and start what a project is of, and show what it writes",
		Example: "  uswitch docker compose up -d",
	}
	var up compose.UpOptions
	f := c.Flags()
	detach := f.BoolP("detach", "d", false, "leave it in the background")
	f.BoolVar(&up.ForceRecreate, "force-recreate", false, "make containers anew that are as they should be, too")
	f.BoolVar(&up.RemoveOrphans, "remove-orphans", false, "remove containers of services that the project has no more")
	f.StringToIntVar(&o.load.Scale, "scale", nil, "have n containers of a service, as in `SERVICE=n`")
	for _, name := range idleUp {
		f.Bool(name, false, "")
		_ = f.MarkHidden(name)
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		project, err := o.project()
		if err != nil {
			return err
		}
		for _, name := range idleUp {
			if f.Changed(name) {
				fmt.Fprintf(os.Stderr, "uswitch: not acted on: --%s\n", name)
			}
		}
		for _, line := range compose.Idle(project) {
			fmt.Fprintln(os.Stderr, "uswitch:", line)
		}
		d, running, err := findDocker(c)
		if err == nil && !running {
			d, err = d.Begin(c.Context(), os.Stderr)
		}
		if err != nil {
			return err
		}
		up.Services = args
		rows, err := composing(d).Up(c.Context(), project, up)
		if err != nil || *detach {
			return dockerError(err)
		}
		return dockerError(stayWith(c.Context(), composing(d), project.Name, rows))
	}
	return c
}

// stayWith shows what containers write until all of them have ended; Ctrl-C ends them.
func stayWith(ctx context.Context, c *compose.Compose, project string, rows []types.Summary) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	done := make(chan error, 1)
	go func() {
		done <- c.Logs(ctx, project, rows, compose.LogOptions{Follow: true, Tail: "all"}, os.Stdout, os.Stderr)
	}()
	select {
	case err := <-done:
		return err
	case <-signals:
	}
	fmt.Fprintln(os.Stderr, "Gracefully Stopping... press Ctrl+C again to force")
	stopped := make(chan error, 1)
	go func() { stopped <- c.Stop(ctx, rows, -1) }()
	select {
	case err := <-stopped:
		return cmp.Or(err, error(exit(130)))
	case <-signals:
		return cmp.Or(c.Stop(ctx, rows, 0), error(exit(130)))
	}
}

func newComposeDown(o *composeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "down [flags]",
		Short:   "End and remove what a project is of",
		Example: "  uswitch docker compose down",
		Args:    usage(cobra.NoArgs),
	}
	f := c.Flags()
	orphans := f.Bool("remove-orphans", false, "also containers of services that the project has no more")
	patience := f.IntP("timeout", "t", -1, "make containers end after `SECONDS`; 10 if nothing is said")
	f.BoolP("volumes", "v", false, "") // there are none
	_ = f.MarkHidden("volumes")
	return o.act(c, func(ctx context.Context, c *compose.Compose, project *composetypes.Project, _ []string) error {
		return c.Down(ctx, project, *orphans, *patience)
	})
}

// act makes a command one about a project in a lab, be it up or not.
func (o *composeOptions) act(c *cobra.Command, run func(ctx context.Context, c *compose.Compose, p *composetypes.Project, args []string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		project, err := o.project()
		if err != nil {
			return err
		}
		for _, name := range args[:min(len(args), 1)] { // which service is meant
			if _, err := project.GetService(name); err != nil {
				return fmt.Errorf("no such service: %s", name)
			}
		}
		d, _, err := findDocker(c)
		if err != nil {
			return err
		}
		return dockerError(run(c.Context(), composing(d), project, args))
	}
	return c
}

func newComposePs(o *composeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "ps [flags] [SERVICE ...]",
		Short:   "List the containers of a project",
		Example: "  uswitch docker compose ps",
	}
	f := c.Flags()
	all := f.BoolP("all", "a", false, "also those that have ended")
	quiet := f.BoolP("quiet", "q", false, "only ids")
	services := f.Bool("services", false, "only the names of services")
	format := f.String("format", "", "print each as `TEMPLATE`, or table, or json")
	return o.act(c, func(ctx context.Context, c *compose.Compose, project *composetypes.Project, args []string) error {
		rows, err := c.Containers(ctx, project.Name)
		if err != nil {
			return err
		}
		rows = compose.Select(rows, args)
		if !*all {
			rows = slices.DeleteFunc(rows, func(s types.Summary) bool { return s.State != "running" })
		}
		if *services {
			var names []string
			for _, s := range rows {
				names = append(names, compose.ServiceOf(s))
			}
			for _, name := range slices.Compact(names) {
				fmt.Println(name)
			}
			return nil
		}
		o := client.DockerOptions{Quiet: *quiet, NoTrunc: *quiet, Now: time.Now(), Format: *format, Compose: true}
		switch {
		case o.Format == "json":
			o.Format = "{{json .}}"
		case (o.Format == "" || o.Format == "table") && !*quiet:
			o.Format = `table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}`
		}
		return client.DockerPs(os.Stdout, rows, o)
	})
}

func newComposeLogs(o *composeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "logs [flags] [SERVICE ...]",
		Short:   "Show what the containers of a project have written",
		Example: "  uswitch docker compose logs -f web",
	}
	var l compose.LogOptions
	f := c.Flags()
	f.BoolVarP(&l.Follow, "follow", "f", false, "and what they write from now on")
	f.StringVarP(&l.Tail, "tail", "n", "all", "only the last `LINES` of each")
	f.BoolVarP(&l.Timestamps, "timestamps", "t", false, "with the time of each line")
	f.BoolVar(&l.NoPrefix, "no-log-prefix", false, "without the name of the container before each line")
	f.Bool("no-color", false, "")
	_ = f.MarkHidden("no-color")
	return o.act(c, func(ctx context.Context, c *compose.Compose, project *composetypes.Project, args []string) error {
		rows, err := c.Containers(ctx, project.Name)
		if err != nil {
			return err
		}
		return c.Logs(ctx, project.Name, compose.Select(rows, args), l, os.Stdout, os.Stderr)
	})
}

func newComposeExec(o *composeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "exec [flags] SERVICE PROGRAM [ARGUMENT ...]",
		Short:   "Run a program in a container of a service",
		Example: "  uswitch docker compose exec web ip addr",
		Args:    usage(cobra.MinimumNArgs(2)),
	}
	x, in := execFlags(c)
	index := c.Flags().Int("index", 0, "in the container of this `NUMBER`; the first that runs if nothing is said")
	return o.act(c, func(ctx context.Context, c *compose.Compose, project *composetypes.Project, args []string) error {
		s, err := c.Find(ctx, project.Name, args[0], *index)
		if err != nil {
			return err
		}
		in.input = true // docker compose exec is interactive as it is
		x.Cmd = args[1:]
		return execIn(ctx, c.Docker, s.ID, x, in)
	})
}

func newComposeConfig(o *composeOptions) *cobra.Command {
	c := &cobra.Command{
		Use:     "config [flags]",
		Short:   "Print a project as its files come to together",
		Example: "  uswitch docker compose config",
		Args:    usage(cobra.NoArgs),
	}
	f := c.Flags()
	quiet := f.BoolP("quiet", "q", false, "only check it")
	services := f.Bool("services", false, "only the names of services")
	format := f.String("format", "yaml", "print `yaml|json`")
	c.RunE = func(*cobra.Command, []string) error {
		project, err := o.project()
		switch {
		case err != nil || *quiet:
			return err
		case *services:
			for _, name := range project.ServiceNames() {
				fmt.Println(name)
			}
			return nil
		}
		var text []byte
		switch *format {
		case "yaml":
			text, err = project.MarshalYAML()
		case "json":
			text, err = project.MarshalJSON()
			text = append(text, '\n')
		default:
			return usageError{fmt.Errorf("--format %s: want yaml or json", *format)}
		}
		if err == nil {
			_, err = os.Stdout.Write(text)
		}
		return err
	}
	return c
}
