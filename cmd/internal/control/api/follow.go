package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"uswitch/cmd/internal/words"
)

// finishTime is how long a client that listens no more waits for what the lab still holds for it.
const finishTime = 5 * time.Second

// ErrUnfinished is what reading ends with when the lab still held something that did not come in time.
var ErrUnfinished = words.Errorf("the lab still held something for this listener that did not come in time")

// Follow is Stream for who listens until ctx ends, and then reads what was queued by then: the lab is told that nobody listens
// any more by the end of this side of the connection, and the answer goes on to its own end, for at most some seconds. What is
// read ends with io.EOF if all has come. If ctx ends before the answer begins the error is ctx's.
func (c *Client) Follow(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	var conn net.Conn
	request, end := context.WithCancel(context.WithoutCancel(ctx))
	early := context.AfterFunc(ctx, end)
	got := httptrace.WithClientTrace(request, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { conn = i.Conn }})
	answer, err := c.Stream(got, http.MethodGet, path, query, nil)
	if !early() && err == nil {
		answer.Close()
		err = ctx.Err()
	}
	if err != nil {
		end()
		return nil, err
	}
	f := &following{answer: answer, end: end}
	f.last = context.AfterFunc(ctx, func() { f.finish(conn, c.patience) })
	return f, nil
}

// following is an answer that is read to its end.
type following struct {
	answer io.ReadCloser
	end    func()      // breaks the answer off
	last   func() bool // keeps finish from being called
	cut    atomic.Bool // it was broken off
}

// finish says that nobody listens any more, and breaks the answer off if it does not end of itself then.
func (f *following) finish(conn net.Conn, patience time.Duration) {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		patience = 0
	}
	time.AfterFunc(patience, func() {
		f.cut.Store(true)
		f.end()
	})
}

func (f *following) Read(b []byte) (int, error) {
	n, err := f.answer.Read(b)
	if err != nil && err != io.EOF && f.cut.Load() {
		err = ErrUnfinished
	}
	return n, err
}

func (f *following) Close() error {
	f.last()
	f.end()
	return f.answer.Close()
}

// ExecPath is where programs are started.
const ExecPath = "/v1/exec"

// ExecQuery is a program that is to run in a host. What it reads is the body of the request, which may go on while the
// answer comes; the answer is a stream of ExecOutput.
type ExecQuery struct {
	ID          string // by which ExecSignal finds it; chosen by who asks
	Host        string
	Args        []string
	Environment []string // KEY=value, on top of the host's
	Dir         string
	Person      bool // somebody looks on: time passes no faster than it does outside
}

// Query returns it as a query.
func (e ExecQuery) Query() url.Values {
	return url.Values{"id": {e.ID}, "host": {e.Host}, "arg": e.Args, "env": e.Environment, "dir": {e.Dir}, "person": {strconv.FormatBool(e.Person)}}
}

// ExecOutput is what a program has written at once or, last of all, its exit status.
type ExecOutput struct {
	Stdout []byte `json:"stdout,omitempty"`
	Stderr []byte `json:"stderr,omitempty"`
	Status *int   `json:"status,omitempty"`
	// Await says that the lab stands still until the client has posted to ExecTakenPath that it has passed this on: what other
	// programs, and the trace, write to the same screen comes after it.
	Await bool `json:"await,omitempty"`
}

// ExecTaken says that what a program has written was passed on.
type ExecTaken struct {
	ID string `json:"id"`
}

// ExecTakenPath is where it is said.
const ExecTakenPath = ExecPath + "/taken"

// ExecSignal is a signal for a program that a client has started and waits for.
type ExecSignal struct {
	ID     string         `json:"id"`
	Signal syscall.Signal `json:"signal"`
}
