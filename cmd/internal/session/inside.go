package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/tap"
)

// execInside runs a program on a simulated host: the process that has the lab runs it, and this one is its terminal.
func execInside(ctx context.Context, c *api.Client, host string, argv []string, o ExecOptions) (status int, err error) {
	q := api.ExecQuery{ID: fmt.Sprintf("%016x", rand.Uint64()), Host: host, Args: argv, Environment: o.Environment, Dir: o.Dir}
	q.Person = view.IsTerminal(os.Stdout)
	if q.Dir == "" {
		q.Dir, _ = os.Getwd()
	}
	var input io.Reader // without the method that closes it: it is not the request's
	if o.Input != nil {
		input = struct{ io.Reader }{o.Input}
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, tap.SIGHUP)
	defer signal.Stop(signals)
	answer, err := c.Stream(ctx, http.MethodPost, "/v1/exec", q.Query(), input)
	if err != nil {
		var refused *api.Error
		if errors.As(err, &refused) && refused.Status != 0 {
			return refused.Status, err
		}
		return 1, err
	}
	defer answer.Close()
	ended := make(chan struct{})
	defer close(ended)
	go passSignals(ctx, c, q.ID, signals, ended)
	out := o.Output
	if out == nil {
		out = os.Stdout
	}
	return copyOutput(json.NewDecoder(answer), out, os.Stderr, func() error {
		return c.Do(ctx, http.MethodPost, api.ExecTakenPath, nil, api.ExecTaken{ID: q.ID}, nil)
	})
}

// passSignals passes on what is sent to this process instead of the program that runs elsewhere.
func passSignals(ctx context.Context, c *api.Client, id string, signals <-chan os.Signal, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case s := <-signals:
			// A program that has ended meanwhile needs no signal any more.
			_ = c.Do(ctx, http.MethodPost, "/v1/exec/signal", nil, api.ExecSignal{ID: id, Signal: s.(syscall.Signal)}, nil)
		}
	}
}

// copyOutput writes what the program writes, says so where the lab waits for that, and returns the program's status.
func copyOutput(in *json.Decoder, out, errs io.Writer, taken func() error) (status int, err error) {
	for {
		var line api.ExecOutput
		if err := in.Decode(&line); err != nil {
			return 1, errors.New("the lab has gone while the program ran")
		}
		if line.Status != nil {
			return *line.Status, nil
		}
		if _, err := out.Write(line.Stdout); err != nil {
			return 1, err
		}
		if _, err := errs.Write(line.Stderr); err != nil {
			return 1, err
		}
		if line.Await {
			if err := taken(); err != nil {
				return 1, err
			}
		}
	}
}
