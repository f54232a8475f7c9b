package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// DefaultLab is the lab that docker commands begin and, where several labs are up, act on.
const DefaultLab = "docker"

// Find returns the engine that a command acts on: of the lab that is named, by the option or else by USWITCH_LAB; or of the
// lab called docker, or the only one that is up. Where there is none, it is what rest returns, which knows Docker's own
// networks and no containers; up is false then.
func Find(name string, rest func(name string) (*api.Client, error)) (c *Client, up bool, err error) {
	name = cmp.Or(name, os.Getenv("USWITCH_LAB"))
	labs := api.Up()
	is := func(name string) func(*api.Client) bool {
		return func(c *api.Client) bool { return c.Lab() == name }
	}
	i := slices.IndexFunc(labs, is(cmp.Or(name, DefaultLab)))
	switch {
	case i >= 0:
	case name == "" && len(labs) == 1:
		i = 0
	case name == "" && len(labs) > 1:
		var names []string
		for _, l := range labs {
			names = append(names, l.Lab())
		}
		return nil, false, fmt.Errorf("several labs are up, %s: say which with --lab NAME or USWITCH_LAB", strings.Join(names, " and "))
	default:
		none, err := rest(cmp.Or(name, DefaultLab))
		if err != nil {
			return nil, false, err
		}
		return New(none), false, nil
	}
	return New(labs[i]), true, nil
}

// Begin begins the lab that was found not to be up, in the background, as `uswitch up -d docker` does; say takes what that
// has to say.
func (c *Client) Begin(ctx context.Context, say io.Writer) (*Client, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	name := c.lab.Lab()
	up := exec.CommandContext(ctx, self, "up", "-d", "--name", name, DefaultLab)
	up.Stderr = say
	failed := up.Run()
	// Whoever was the first of several to begin it, it is up now.
	for _, l := range api.Up() {
		if l.Lab() == name {
			if failed == nil {
				fmt.Fprintf(say, "uswitch: lab %s is up, in the background: uswitch down %s ends it\n", name, name)
			}
			return New(l), nil
		}
	}
	if failed != nil {
		return nil, fmt.Errorf("no lab is up, and lab %s cannot be begun: %w", name, failed)
	}
	return nil, errors.New("lab " + name + " was begun, and is gone")
}
