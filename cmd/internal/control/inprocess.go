package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"

	"uswitch/cmd/internal/world"
)

// InProcess returns a client for what answers in this very process, where there is no lab and no socket. It cannot Upgrade.
func InProcess(h http.Handler, lab string) *Client {
	c := &Client{lab: lab, dial: func(context.Context) (net.Conn, error) { return nil, errors.New("there is no socket") }}
	c.http.Transport = inProcess{checked(h)}
	return c
}

// Resting returns a client for a world that nobody else can reach.
func Resting(w *world.World, version string) *Client {
	s := &Server{world: w, engine: newEngine(w), version: version, pid: os.Getpid(), stop: func() {}, streams: make(chan struct{}, maxStreams)}
	return InProcess(s.handler(), w.Plan().Name)
}

type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &collected{Response: http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}}
	t.handler.ServeHTTP(a, r)
	a.Body = io.NopCloser(&a.body)
	return &a.Response, nil
}

// collected is an answer that is kept until it is complete.
type collected struct {
	http.Response
	body bytes.Buffer
}

func (a *collected) Header() http.Header         { return a.Response.Header }
func (a *collected) WriteHeader(code int)        { a.StatusCode = code }
func (a *collected) Write(b []byte) (int, error) { return a.body.Write(b) }
