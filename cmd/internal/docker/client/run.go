package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

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

// seat is a person's place at a container's terminal, or beside its pipes.
type seat struct {
	Terminal
	client  *Client
	ctx     context.Context
	id      string
	config  types.Config
	restore *term.State
	signals chan os.Signal
}

// sit prepares for a container that is about to be started.
func (c *Client) sit(ctx context.Context, id string, config types.Config, t Terminal) *seat {
	s := &seat{Terminal: t, client: c, ctx: ctx, id: id, config: config, signals: make(chan os.Signal, 16)}
	if config.Tty && config.OpenStdin && term.IsTerminal(int(t.In.Fd())) {
		s.restore, _ = term.MakeRaw(int(t.In.Fd()))
	}
	if config.Tty {
		signal.Notify(s.signals, syscall.SIGWINCH, syscall.SIGTERM, syscall.SIGHUP)
	} else {
		signal.Notify(s.signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	}
	go s.pass()
	return s
}

// pass hands signals on.
func (s *seat) pass() {
	for received := range s.signals {
		if received == syscall.SIGWINCH {
			s.resize()
			continue
		}
		_ = s.client.Kill(s.ctx, s.id, unix.SignalName(received.(syscall.Signal)))
	}
}

// resize tells the container how large the person's terminal is.
func (s *seat) resize() {
	columns, rows, err := term.GetSize(int(s.In.Fd()))
	if !s.config.Tty || err != nil {
		return
	}
	q := url.Values{"h": {fmt.Sprint(rows)}, "w": {fmt.Sprint(columns)}}
	_ = s.client.do(s.ctx, http.MethodPost, escaped("/containers/%s/resize", s.id), q, nil, nil)
}

// talk copies both ways until the output ends; left is true if the person has gone before.
func (s *seat) talk(conn *attached) (left bool) {
	gone := make(chan struct{})
	if s.config.OpenStdin {
		go func() {
			in := io.Reader(s.In)
			if s.config.Tty {
				in = &escape{in: s.In}
			}
			if _, err := io.Copy(conn, in); errors.Is(err, errEscape) {
				close(gone)
				return
			}
			_ = conn.CloseWrite()
		}()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if s.config.Tty {
			_, _ = io.Copy(s.Out, conn)
		} else {
			_ = types.Demultiplex(conn, s.Out, s.Err)
		}
	}()
	select {
	case <-ended:
	case <-gone:
		left = true
	}
	return left
}

// leave sets the person's terminal right again.
func (s *seat) leave() {
	signal.Stop(s.signals)
	if s.restore != nil {
		_ = term.Restore(int(s.In.Fd()), s.restore)
		s.restore = nil
	}
}
