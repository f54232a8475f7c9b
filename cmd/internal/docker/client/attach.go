package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/types"
)

// attached is a connection to a container: what is written is typed there, what is read is its output.
type attached struct {
	net.Conn
	from io.Reader // what came with the answer's head, and then the connection
}

func (a *attached) Read(b []byte) (int, error) { return a.from.Read(b) }

// CloseWrite ends the container's input.
func (a *attached) CloseWrite() error {
	if half, ok := a.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// attach begins to listen to a container.
func (c *Client) attach(ctx context.Context, id string) (*attached, error) {
	q := url.Values{"stream": {"1"}, "stdin": {"1"}, "stdout": {"1"}, "stderr": {"1"}}
	conn, from, err := c.lab.Upgrade(ctx, http.MethodPost, api.DockerPath+escaped("/containers/%s/attach", id), q)
	if err != nil {
		return nil, err
	}
	return &attached{conn, from}, nil
}

// waitStatus reads the status of a container's command, which comes when that has ended.
func waitStatus(answer io.Reader) (int, error) {
	var w types.WaitResponse
	if err := json.NewDecoder(answer).Decode(&w); err != nil {
		return 125, errors.New("the lab has ended before the container did")
	}
	return w.StatusCode, nil
}

// errEscape ends the copying of what is typed.
var errEscape = errors.New("escape sequence")

// The keys by which docker leaves a container alone.
const ctrlP, ctrlQ = 0x10, 0x11

// escape reads what is typed until Ctrl-P Ctrl-Q. A Ctrl-P is held back until the next key is there.
type escape struct {
	in   io.Reader
	held bool
	rest []byte // typed, and not read yet
	end  error  // what comes behind that
}

func (e *escape) Read(b []byte) (int, error) {
	for len(e.rest) == 0 && e.end == nil {
		typed := make([]byte, max(min(len(b), 4096), 1))
		n, err := e.in.Read(typed)
		e.end = err
		for _, key := range typed[:n] {
			if e.press(key) {
				e.end = errEscape
				break
			}
		}
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	if n == 0 {
		return 0, e.end
	}
	return n, nil
}

// press takes a key; it reports whether that was the end.
func (e *escape) press(key byte) bool {
	switch {
	case e.held && key == ctrlQ:
		return true
	case e.held:
		e.rest = append(e.rest, ctrlP)
	}
	if e.held = key == ctrlP; !e.held {
		e.rest = append(e.rest, key)
	}
	return false
}
