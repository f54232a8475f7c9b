package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/types"
)

// Terminal is where the person sits.
type Terminal struct {
	In       *os.File
	Out, Err io.Writer
}

// StartError is a container that could not be started: what docker run says, and the status that it ends with.
type StartError struct {
	Status int
	error
}

func (e *StartError) Unwrap() error { return e.error }

// startError finds the status as docker does: by the words of the runtime (docker cli, toStatusError).
func startError(err error) error {
	status := 125
	switch text := err.Error(); {
	case strings.Contains(text, "executable file not found"), strings.Contains(text, "no such file or directory"):
		status = 127
	case strings.Contains(text, "permission denied"):
		status = 126
	}
	return &StartError{status, err}
}

// Run starts a container that was created and stays with it: its output comes out here, what is typed goes in, signals
// reach it. It returns the command's status when that has ended, and before that if the person types Ctrl-P Ctrl-Q.
func (c *Client) Run(ctx context.Context, id string, r types.CreateRequest, t Terminal) (status int, err error) {
	conn, err := c.attach(ctx, id)
	if err != nil {
		return 125, fromDaemon(err)
	}
	defer conn.Close()
	condition := "next-exit"
	if r.HostConfig.AutoRemove {
		condition = "removed"
	}
	waiting, err := c.lab.Stream(ctx, http.MethodPost, api.DockerPath+escaped("/containers/%s/wait", id), url.Values{"condition": {condition}}, nil)
	if err != nil {
		return 125, fromDaemon(err)
	}
	defer waiting.Close()
	// The terminal is set up first, so that the command finds it in its size, and set right again before anything is said.
	here := c.sit(ctx, id, r.Config, t)
	if err := c.Start(ctx, id); err != nil {
		here.leave()
		return 125, startError(err)
	}
	here.resize()
	left := here.talk(conn)
	here.leave()
	if left {
		fmt.Fprintln(t.Err, "read escape sequence")
		return 0, nil
	}
	return waitStatus(waiting)
}

// StartDetached starts a container that was created, and leaves it alone.
func (c *Client) StartDetached(ctx context.Context, id string) error {
	if err := c.Start(ctx, id); err != nil {
		return startError(err)
	}
	return nil
}
