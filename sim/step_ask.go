package sim

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// parseCurl reads a URL. Names are looked up at 8.8.8.8.
func parseCurl(words []string) (command, error) {
	if len(words) != 1 {
		return command{}, errors.New("want a URL")
	}
	return command{program: func(m *Machine, out io.Writer, done func()) {
		m.Get(dnsServers[0], words[0], func(body string, err error) {
			io.WriteString(out, body)
			if err != nil {
				fmt.Fprintf(out, "curl: %v\n", err)
			}
			done()
		})
	}}, nil
}

// parseDig reads: dig NAME, or dig -x ADDRESS.
func parseDig(words []string) (command, error) {
	report := func(out io.Writer, answer string, err error) {
		if err != nil {
			answer = ";; " + err.Error()
		}
		fmt.Fprintln(out, answer)
	}
	if len(words) == 2 && words[0] == "-x" {
		addr, err := oneAddress(words[1:])
		return command{program: func(m *Machine, out io.Writer, done func()) {
			m.LookUpAddr(dnsServers[0], addr, func(name string, err error) { report(out, name, err); done() })
		}}, err
	}
	if len(words) != 1 {
		return command{}, errors.New("want a name, or -x and an address")
	}
	return command{program: func(m *Machine, out io.Writer, done func()) {
		m.LookUp(dnsServers[0], words[0], func(a netip.Addr, err error) {
			answer := ";; no data of this type"
			if a.IsValid() {
				answer = a.String()
			}
			report(out, answer, err)
			done()
		})
	}}, nil
}

// parseNC reads: nc -u ADDRESS PORT TEXT - one datagram, and the answer to it.
func parseNC(words []string) (command, error) {
	if len(words) < 4 || words[0] != "-u" {
		return command{}, errors.New("want -u, an address, a port and a text")
	}
	to, err := netip.ParseAddrPort(words[1] + ":" + words[2])
	if err != nil || !to.Addr().Is4() {
		return command{}, errors.New("want an IPv4 address and a port behind -u")
	}
	text := strings.Join(words[3:], " ")
	return command{program: func(m *Machine, out io.Writer, done func()) {
		m.AskUDP(to, []byte(text), resolveTimeout, func(answer []byte, err error) {
			if err != nil {
				fmt.Fprintf(out, "nc: %v\n", err)
			} else {
				fmt.Fprintf(out, "%s\n", answer)
			}
			done()
		})
	}}, nil
}
