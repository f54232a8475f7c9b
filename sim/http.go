package sim

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
)

// Page returns a Service of HTTP/1.1 (RFC 9112) that answers every GET and HEAD with what body returns, and closes.
func Page(body func(client netip.AddrPort, r *http.Request) string) Service {
	return func(client netip.AddrPort, received []byte) []byte {
		if !bytes.Contains(received, []byte("\r\n\r\n")) && !bytes.Contains(received, []byte("\n\n")) {
			return nil
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(received)))
		switch {
		case err != nil:
			return response("400 Bad Request", "that is not HTTP\n", false)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			return response("405 Method Not Allowed", "only GET and HEAD\n", false)
		}
		return response("200 OK", body(client, r), r.Method == http.MethodHead)
	}
}

func response(status, body string, head bool) []byte {
	text := fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		status, len(body))
	if !head {
		text += body
	}
	return []byte(text)
}

// examplePage is what example.com serves. It tells the client its own address, as the server sees it: the proof of a
// translation.
var examplePage = Page(func(client netip.AddrPort, r *http.Request) string {
	return fmt.Sprintf(`<!doctype html>
<title>Example Domain</title>
<h1>Example Domain</h1>
<p>This is example.com in the simulated internet of uswitch. You asked for %s.</p>
<p>From here you look like %v.</p>
`, html.EscapeString(r.URL.Path), client)
})

// Get fetches an http URL, asking the DNS server for its host where that is a name, and hands the body of the answer to
// done, once. The error says why there is none.
func (m *Machine) Get(server netip.Addr, address string, done func(body string, err error)) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		done("", fmt.Errorf("%s: want a URL as http://example.com/", address))
		return
	}
	port := uint64(80)
	if u.Port() != "" {
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
			done("", fmt.Errorf("%s: port: %w", address, err))
			return
		}
	}
	fetch := func(a netip.Addr) {
		request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", u.RequestURI(), u.Host)
		m.AskTCP(netip.AddrPortFrom(a, uint16(port)), []byte(request), func(b []byte, err error) {
			if err != nil {
				done("", err)
				return
			}
			done(readBody(b))
		})
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.Is4() {
		fetch(a)
		return
	}
	m.LookUp(server, u.Hostname(), func(a netip.Addr, err error) {
		if err == nil && !a.IsValid() {
			err = ErrNoSuchName
		}
		if err != nil {
			done("", fmt.Errorf("could not resolve host %s: %w", u.Hostname(), err))
			return
		}
		fetch(a)
	})
}

func readBody(b []byte) (string, error) {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return "", errors.New("the answer is not HTTP")
	}
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = errors.New(r.Status)
	}
	return string(body), err
}
