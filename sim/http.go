package sim

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"net/http"
	"net/netip"
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
