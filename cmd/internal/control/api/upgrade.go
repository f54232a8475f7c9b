package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

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
