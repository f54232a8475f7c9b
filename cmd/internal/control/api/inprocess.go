package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
)

// InProcess returns a client for what answers in this very process, where there is no lab and no socket. It cannot Upgrade.
func InProcess(h http.Handler, lab string) *Client {
	c := &Client{lab: lab, dial: func(context.Context) (net.Conn, error) { return nil, errors.New("there is no socket") }}
	c.http.Transport = inProcess{h}
	return c
}

type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &collected{Response: http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}}
	a.Header().Set(VersionHeader, strconv.Itoa(Version)) // whoever answers was built with the client
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
