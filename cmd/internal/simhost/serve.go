package simhost

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"uswitch/cmd/internal/tools/serve"
	"uswitch/sim"
)

// uswitchServe is `uswitch serve`.
func uswitchServe(c *call) int {
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	port := set.Uint16P("port", "p", 80, "")
	if err := set.Parse(c.Args); err != nil || set.NArg() > 0 || *port == 0 {
		return c.Fail(2, "want: uswitch serve [-p PORT]")
	}
	l, err := c.Sockets().Listen(c.Ctx, *port)
	if err != nil {
		return c.Fail(1, "%v", err)
	}
	defer l.Close()
	fmt.Fprintf(c.Stdout, "serving on port %d\n", *port)
	if err := c.serveHTTP(l, serve.Page(c.Namespace.Name, c.Stdout)); c.Ctx.Err() == nil {
		return c.Fail(1, "%v", err)
	}
	return sim.Finished // it serves until it is told not to
}

// requestTime is how long a request may take to come, and its answer to go.
const requestTime = 10 * time.Second

// serveHTTP answers requests until the program ends. net/http's own server has goroutines of its own; this one has a task for each
// connection.
func (c *call) serveHTTP(l *sim.Listener, page http.Handler) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		c.Loop().Go(func() {
			defer conn.Close()
			in := bufio.NewReader(conn)
			for c.answerHTTP(conn, in, page) {
			}
		})
	}
}

// answerHTTP answers one request, and reports whether there may be another one.
func (c *call) answerHTTP(conn net.Conn, in *bufio.Reader, page http.Handler) (more bool) {
	_ = conn.SetDeadline(c.Loop().Now().Add(requestTime))
	r, err := http.ReadRequest(in)
	if err != nil {
		if gone := new(net.OpError); !errors.Is(err, io.EOF) && !errors.As(err, &gone) && c.Ctx.Err() == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request")
		}
		return false
	}
	r.RemoteAddr = conn.RemoteAddr().String()
	r = r.WithContext(context.WithValue(c.Ctx, http.LocalAddrContextKey, conn.LocalAddr()))
	answer := &answer{status: http.StatusOK, header: http.Header{"Date": {c.Loop().Now().UTC().Format(http.TimeFormat)}}}
	page.ServeHTTP(answer, r)
	_, _ = io.Copy(io.Discard, r.Body)
	response := http.Response{StatusCode: answer.status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: answer.header,
		Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Close: r.Close}
	return response.Write(conn) == nil && !r.Close
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
