package tcpdump

import (
	"bytes"
	"slices"
	"strings"
)

// httpWords begin a line that HTTP prints (print-http.c): its methods and its version.
var httpWords = []string{"GET", "PUT", "COPY", "HEAD", "LOCK", "MOVE", "POLL", "POST", "BCOPY", "BMOVE", "MKCOL", "TRACE", "LABEL", "MERGE",
	"DELETE", "SEARCH", "UNLOCK", "REPORT", "UPDATE", "NOTIFY", "BDELETE", "CONNECT", "OPTIONS", "CHECKIN", "PROPFIND", "CHECKOUT",
	"CCM_POST", "SUBSCRIBE", "PROPPATCH", "BPROPFIND", "BPROPPATCH", "UNCHECKOUT", "MKACTIVITY", "MKWORKSPACE", "UNSUBSCRIBE",
	"RPC_CONNECT", "VERSION-CONTROL", "BASELINE-CONTROL"}

// stream prints what a segment carries, where that has a printer.
func (p *Printer) stream(src, dst uint16, payload []byte, length int) {
	isAt := func(ports ...uint16) bool { return slices.Contains(ports, src) || slices.Contains(ports, dst) }
	switch {
	case isAt(80, 8080):
		p.f(": HTTP")
		if line := firstLine(payload); isHTTP(line) {
			p.f(": %s", line)
		}
	case isAt(22) && bytes.HasPrefix(payload, []byte("SSH-")) && bytes.IndexByte(payload, '\n') > 0:
		p.f(": SSH: %s", firstLine(payload))
	case isAt(25):
		p.f(": SMTP: %s", firstLine(payload))
	case isAt(21):
		p.f(": FTP: %s", firstLine(payload))
	case isAt(179):
		p.f(": BGP")
	case isAt(portDNS) && len(payload) > 2: // behind its length (RFC 1035 4.2.2)
		p.f(" ")
		p.dns(payload[2:], length-2, false)
	}
}

// firstLine returns the bytes up to the end of the line, those that cannot be shown as tcpdump shows them.
func firstLine(b []byte) string {
	end := bytes.IndexAny(b, "\r\n")
	if end < 0 {
		end = len(b)
	}
	var line strings.Builder
	for _, c := range b[:end] {
		switch {
		case c >= 0x80:
			line.WriteString("M-")
			c &= 0x7f
		}
		if c < 0x20 || c == 0x7f {
			line.WriteByte('^')
			c ^= 0x40
		}
		line.WriteByte(c)
	}
	return line.String()
}

func isHTTP(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return slices.Contains(httpWords, word) || strings.HasPrefix(line, "HTTP/")
}
