package api

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"uswitch/cmd/internal/words"
)

// DockerPath is where Docker's Engine API begins; see package docker/engine.
const DockerPath = "/v1/docker"

// maxError bounds the JSON of an answer that is no success.
const maxError = 1 << 20

// Client talks to the lab behind one socket.
type Client struct {
	// Language is the one that whoever reads speaks, as in Accept-Language: who has called this command, unless it is set before the
	// first request.
	Language string

	lab      string
	dial     func(context.Context) (net.Conn, error)
	http     http.Client
	patience time.Duration // of Follow
}

// NewClient returns a client for a socket; lab is for messages. Nothing is sent yet.
func NewClient(path, lab string) *Client {
	c := &Client{Language: words.Spoken(), lab: lab, patience: finishTime, dial: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", path)
	}}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return c.dial(ctx)
		},
		ResponseHeaderTimeout: 30 * time.Second,
	}
	return c
}

// Lab returns the name of the lab.
func (c *Client) Lab() string { return c.lab }

// Get asks for what is at a path, with a query that may be nil, and decodes the answer into a pointer.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	return c.Do(ctx, http.MethodGet, path, query, nil, into)
}

// Do sends a request. A body is sent as JSON, or as it is if it is an io.Reader; the answer is decoded into a pointer, as
// text into a *string, or thrown away if into is nil.
func (c *Client) Do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	answer, err := c.Stream(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	switch into := into.(type) {
	case nil:
		_, err := io.Copy(io.Discard, answer) // what was asked for is done when the answer ends
		return c.broken(err)
	case *string:
		text, err := io.ReadAll(answer)
		*into = string(text)
		return c.broken(err)
	}
	return c.broken(json.NewDecoder(answer).Decode(into))
}

// Stream sends a request and returns the body of the answer as it comes. The error is an *Error if the lab says no.
func (c *Client) Stream(ctx context.Context, method, path string, query url.Values, body any) (io.ReadCloser, error) {
	var send io.Reader
	switch body := body.(type) {
	case nil:
	case io.Reader:
		send = body
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		send = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://uswitch"+path+"?"+query.Encode(), send)
	if err != nil {
		return nil, err
	}
	request.Header.Set(VersionHeader, strconv.Itoa(Version))
	request.Header.Set("Accept-Language", c.Language)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.broken(err)
	}
	if err := c.check(response); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response.Body, nil
}

// check turns an answer that is no success into an error.
func (c *Client) check(r *http.Response) error {
	if theirs := r.Header.Get(VersionHeader); theirs != strconv.Itoa(Version) {
		return words.Errorf("lab %s speaks version %s of the control socket, and this uswitch %d: use the uswitch that runs the lab",
			c.lab, cmp.Or(theirs, "none"), Version)
	}
	if r.StatusCode == http.StatusOK {
		return nil
	}
	e := &Error{}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxError)).Decode(e); err != nil || e.Message == "" {
		e.Message = fmt.Sprintf("lab %s answers %s", c.lab, r.Status)
	}
	e.Code = r.StatusCode
	return e
}

// broken explains an error of the connection itself.
func (c *Client) broken(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return words.Errorf("lab %s does not answer: %w", c.lab, err)
}

// Now returns the lab's time.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	var l Lab
	err := c.Get(ctx, "/v1/lab", nil, &l)
	return l.Now, err
}

// Upgrade sends a request that makes of its connection one for other things, and returns that with what is to be read from
// it: what came behind the head of the answer first. The error is an *Error if the lab says no.
func (c *Client) Upgrade(ctx context.Context, method, path string, query url.Values) (net.Conn, io.Reader, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, nil, c.broken(err)
	}
	fail := func(err error) (net.Conn, io.Reader, error) {
		conn.Close()
		return nil, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://uswitch"+path+"?"+query.Encode(), nil)
	if err != nil {
		return fail(err)
	}
	request.Header.Set(VersionHeader, strconv.Itoa(Version))
	request.Header.Set("Accept-Language", c.Language)
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "tcp")
	if err := request.Write(conn); err != nil {
		return fail(c.broken(err))
	}
	from := bufio.NewReader(conn)
	response, err := http.ReadResponse(from, request)
	if err != nil {
		return fail(c.broken(err))
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fail(c.check(response))
	}
	return conn, from, nil
}

// InProcess returns a client for what answers in this very process, where there is no lab and no socket. It cannot Upgrade.
func InProcess(h http.Handler, lab string) *Client {
	c := &Client{Language: words.Spoken(), lab: lab, dial: func(context.Context) (net.Conn, error) { return nil, words.Errorf("there is no socket") }}
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
