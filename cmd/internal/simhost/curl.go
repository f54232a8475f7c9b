package simhost

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"uswitch/sim"
)

// curlOptions are what curl is told.
type curlOptions struct {
	silent, showError, fail, head, include, follow, verbose, v4, v6 bool
	output, method, data, writeOut                                  string
	headers                                                         []string
	maxTime, connectTime                                            float64
	urls                                                            []string
}

func readCurl(args []string) (o curlOptions, err error) {
	set := pflag.NewFlagSet("curl", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVarP(&o.silent, "silent", "s", false, "")
	set.BoolVarP(&o.showError, "show-error", "S", false, "")
	set.BoolVarP(&o.fail, "fail", "f", false, "")
	set.BoolVarP(&o.head, "head", "I", false, "")
	set.BoolVarP(&o.include, "include", "i", false, "")
	set.BoolVarP(&o.follow, "location", "L", false, "")
	set.BoolVarP(&o.verbose, "verbose", "v", false, "")
	set.BoolVarP(&o.v4, "ipv4", "4", false, "")
	set.BoolVarP(&o.v6, "ipv6", "6", false, "")
	set.BoolP("globoff", "g", false, "") // it reads no pattern either way
	set.StringVarP(&o.output, "output", "o", "", "")
	set.StringVarP(&o.method, "request", "X", "", "")
	set.StringVarP(&o.data, "data", "d", "", "")
	set.StringVarP(&o.writeOut, "write-out", "w", "", "")
	set.StringArrayVarP(&o.headers, "header", "H", nil, "")
	set.Float64VarP(&o.maxTime, "max-time", "m", 0, "")
	set.Float64Var(&o.connectTime, "connect-timeout", 0, "")
	err = set.Parse(args)
	o.urls = set.Args()
	return o, err
}

// runCurl is curl for HTTP.
func runCurl(c *call) int {
	o, err := readCurl(c.Args)
	if err != nil {
		return c.Fail(2, "%v", err)
	}
	if len(o.urls) == 0 {
		return c.Fail(2, "(2) no URL specified")
	}
	c.choose(o.v4, o.v6)
	status := 0
	for _, text := range o.urls {
		status = c.curl(o, text)
	}
	return status
}

// curlError is a failure with curl's number for it, which is its exit status.
type curlError struct {
	number int
	text   string
}

func (e *curlError) Error() string { return e.text }

func (c *call) curl(o curlOptions, text string) int {
	err := c.fetch(o, text)
	var failed *curlError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &failed):
		failed = &curlError{56, fmt.Sprintf("Recv failure: %v", err)}
	}
	if !o.silent || o.showError {
		return c.Fail(failed.number, "(%d) %s", failed.number, failed.text)
	}
	return failed.number
}

// fetch does one transfer.
func (c *call) fetch(o curlOptions, text string) error {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return &curlError{3, "URL rejected: " + text}
	case u.Scheme != "http":
		return &curlError{1, fmt.Sprintf("Protocol %q not supported: a simulated host speaks http", u.Scheme)}
	}
	ctx := c.Ctx
	if o.maxTime > 0 {
		var cancel func()
		ctx, cancel = c.Loop().WithTimeout(ctx, seconds(o.maxTime), context.DeadlineExceeded)
		defer cancel()
	}
	request, err := o.request(ctx, u)
	if err != nil {
		return &curlError{3, err.Error()}
	}
	client := &http.Client{Transport: exchange(c.dialer(o))}
	if !o.follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	began := c.Loop().Now()
	took := func() time.Duration { return c.Loop().Now().Sub(began) }
	response, err := client.Do(request)
	if err != nil {
		return explain(err, o, took())
	}
	defer response.Body.Close()
	if err := c.deliver(o, response); err != nil {
		return explain(err, o, took())
	}
	if o.writeOut != "" {
		fmt.Fprint(c.Stdout, strings.NewReplacer("%{http_code}", strconv.Itoa(response.StatusCode),
			"%{response_code}", strconv.Itoa(response.StatusCode), `\n`, "\n", "%{time_total}", fmt.Sprintf("%.6f", took().Seconds())).Replace(o.writeOut))
	}
	return nil
}

func (o *curlOptions) request(ctx context.Context, u *url.URL) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if o.data != "" {
		method, body = http.MethodPost, strings.NewReader(o.data)
	}
	if o.head {
		method = http.MethodHead
	}
	if o.method != "" {
		method = o.method
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "curl/8 (simulated)")
	r.Header.Set("Accept", "*/*")
	if o.data != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range o.headers {
		name, value, _ := strings.Cut(h, ":")
		if r.Header.Set(name, strings.TrimSpace(value)); strings.EqualFold(name, "host") {
			r.Host = strings.TrimSpace(value)
		}
	}
	return r, nil
}

// exchange is an http.RoundTripper with a connection for each request. Unlike net/http's own it does all on the task that asks.
type exchange func(ctx context.Context, address string) (net.Conn, error)

// RoundTrip implements http.RoundTripper.
func (dial exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	port := cmp.Or(r.URL.Port(), "80")
	conn, err := dial(r.Context(), net.JoinHostPort(r.URL.Hostname(), port))
	if err != nil {
		return nil, err
	}
	r.Close = true
	if err := r.Write(conn); err != nil {
		conn.Close()
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		conn.Close()
		return nil, err
	}
	response.Body = closing{response.Body, conn}
	return response, nil
}

// closing is the body of an answer, with which the connection ends.
type closing struct {
	io.ReadCloser
	conn net.Conn
}

// Close implements io.Closer.
func (c closing) Close() error { return errors.Join(c.ReadCloser.Close(), c.conn.Close()) }

// dialer connects from the simulated host.
func (c *call) dialer(o curlOptions) exchange {
	return func(ctx context.Context, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, err
		}
		all, err := c.resolveAll(host)
		if err != nil {
			return nil, &curlError{6, "Could not resolve host: " + host}
		}
		began := c.Loop().Now()
		conn, err := c.race(ctx, all, uint16(number), o.connectTime)
		if o.verbose && err == nil {
			fmt.Fprintf(c.Stderr, "* Connected to %s (%v) port %s\n", host, conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), port)
		}
		switch {
		case err == nil:
			return conn, nil
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
			return nil, &curlError{28, fmt.Sprintf("Connection timed out after %d milliseconds", c.Loop().Now().Sub(began).Milliseconds())}
		}
		return nil, &curlError{7, fmt.Sprintf("Failed to connect to %s port %s after %d ms: %s", host, port, c.Loop().Now().Sub(began).Milliseconds(), why(err))}
	}
}

// connect opens a connection, which has to stand after so many seconds; 0: whenever it will.
func (c *call) connect(ctx context.Context, to netip.AddrPort, within float64) (*sim.Conn, error) {
	late, stop := ctx, func() {}
	if within > 0 {
		late, stop = c.Loop().WithTimeout(ctx, seconds(within), context.DeadlineExceeded)
	}
	conn, err := c.Sockets().Dial(late, to)
	if err == nil {
		conn.EndWith(ctx)
	}
	stop()
	return conn, err
}

// why is the last of what is wrong, with a capital letter as curl has it.
func why(err error) string {
	var number syscall.Errno
	text := err.Error()
	if errors.As(err, &number) {
		text = number.Error()
	} else if inner := errors.Unwrap(err); inner != nil {
		text = inner.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// explain gives the failure of a transfer curl's number.
func explain(err error, o curlOptions, took time.Duration) error {
	var known *curlError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return &curlError{28, fmt.Sprintf("Operation timed out after %d milliseconds", took.Milliseconds())}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &curlError{52, "Empty reply from server"}
	case errors.Is(err, syscall.ECONNRESET):
		return &curlError{56, "Recv failure: Connection reset by peer"}
	}
	return err
}

// deliver writes the answer where it is wanted.
func (c *call) deliver(o curlOptions, r *http.Response) error {
	if o.fail && r.StatusCode >= 400 {
		return &curlError{22, fmt.Sprintf("The requested URL returned error: %d", r.StatusCode)}
	}
	out := c.Stdout
	if o.output != "" && o.output != "-" {
		f, err := c.Namespace.OpenFile(c.Dir, o.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return &curlError{23, err.Error()}
		}
		defer f.Close()
		out = f
	}
	if o.head || o.include {
		fmt.Fprintf(out, "%s %s\r\n", r.Proto, r.Status)
		if err := r.Header.Write(out); err != nil {
			return &curlError{23, err.Error()}
		}
		fmt.Fprint(out, "\r\n")
	}
	_, err := io.Copy(out, r.Body)
	return err
}
