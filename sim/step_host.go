package sim

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"uswitch/switch/frame"
)

// program is a command that runs on a machine. It calls done when it has ended.
type program func(m *Machine, out io.Writer, done func())

// command is what can be typed on a host: a program of any machine, or something that only a host with cards can do.
type command struct {
	program program
	host    func(h *Host, out io.Writer)
}

// hostCommands are what can be typed on a host; on client, the machine outside, those that are programs.
var hostCommands = map[string]func(words []string) (command, error){
	"ping":         parsePing,
	"traceroute":   parseTraceroute,
	"curl":         parseCurl,
	"dig":          parseDig,
	"nc":           parseNC,
	"serve":        parseServe,
	"send":         parseSend,
	"ip":           parseIP,
	"arp-announce": bare(func(h *Host, _ io.Writer) { h.cards[0].Announce() }),
	"up":           bare(func(h *Host, _ io.Writer) { h.SetUp(true) }),
	"down":         bare(func(h *Host, _ io.Writer) { h.SetUp(false) }),
}

// on carries out a command on the machine of that name.
func (c command) on(w *World, name string, out io.Writer) error {
	h, ok := w.Host(name)
	switch {
	case ok && c.host != nil && len(h.cards) > 0:
		c.host(h, out)
		return nil
	case ok && c.program != nil:
		return w.run(h.Machine, c.program, out)
	case name == "client" && w.internet != nil && c.program != nil:
		return w.run(w.internet.client, c.program, out)
	case ok || name == "client" && w.internet != nil:
		return errors.New("this machine cannot do that")
	}
	return fmt.Errorf("there is no host %q", name)
}

// run lets a program run to its end.
func (w *World) run(m *Machine, p program, out io.Writer) error {
	ended := false
	p(m, out, func() { ended = true })
	if !w.RunUntil(func() bool { return ended }) {
		return errors.New("the world has come to rest before the program has ended")
	}
	return nil
}

// bare is a command without words.
func bare(f func(*Host, io.Writer)) func([]string) (command, error) {
	return func(words []string) (command, error) {
		if len(words) > 0 {
			return command{}, errors.New("want nothing else on this line")
		}
		return command{host: f}, nil
	}
}

// maxPings keeps a scenario finite.
const maxPings = 10000

// parsePing reads ping's own options: -c COUNT -i SECONDS -s SIZE -t TTL -W SECONDS -M do ADDRESS.
func parsePing(words []string) (command, error) {
	o := PingOptions{Count: 1}
	seconds := func(d *time.Duration) func(string) error {
		return func(s string) error { return durationOption(d, s+"s") }
	}
	flags := options{
		"-c": func(s string) error { return numberOption(&o.Count, s) },
		"-i": seconds(&o.Interval),
		"-s": func(s string) error { return numberOption(&o.Size, s) },
		"-W": seconds(&o.Wait),
		"-t": func(s string) error {
			n, err := strconv.ParseUint(s, 10, 8)
			o.TTL = uint8(n)
			return err
		},
		"-M": func(s string) error {
			if o.DontFragment = s == "do"; !o.DontFragment {
				return fmt.Errorf("%q: want do", s)
			}
			return nil
		},
	}
	if len(words) == 0 {
		return command{}, errors.New("want an address")
	}
	last := len(words) - 1
	if err := readOptions(words[:last], flags); err != nil {
		return command{}, err
	}
	var dst netip.Addr
	if err := addressOption(&dst, nil, words[last]); err != nil || !dst.IsValid() {
		return command{}, errors.New("want an IPv4 address at the end")
	}
	if o.Count < 1 || o.Count > maxPings || o.Size > maxDatagram {
		return command{}, fmt.Errorf("want a count from 1 to %d and a size up to %d", maxPings, maxDatagram)
	}
	return command{program: func(m *Machine, out io.Writer, done func()) {
		m.Ping(dst, o, out, func(PingResult) { done() })
	}}, nil
}

func parseTraceroute(words []string) (command, error) {
	dst, err := oneAddress(words)
	return command{program: func(m *Machine, out io.Writer, done func()) { m.Traceroute(dst, out, done) }}, err
}

func oneAddress(words []string) (a netip.Addr, err error) {
	if len(words) != 1 || addressOption(&a, nil, words[0]) != nil || !a.IsValid() {
		return netip.Addr{}, errors.New("want an IPv4 address")
	}
	return a, nil
}

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

// parseServe reads: serve echo PORT (UDP), or serve http PORT (TCP).
func parseServe(words []string) (command, error) {
	bad := errors.New("want echo or http, and a port")
	if len(words) != 2 {
		return command{}, bad
	}
	port, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil || port == 0 || words[0] != "echo" && words[0] != "http" {
		return command{}, bad
	}
	return command{host: func(h *Host, _ io.Writer) {
		if words[0] == "echo" {
			h.ServeUDP(uint16(port), Echo)
			return
		}
		h.ServeTCP(uint16(port), Page(func(client netip.AddrPort, _ *http.Request) string {
			return fmt.Sprintf("Hello from %s. You are %v.\n", h.name, client)
		}))
	}}, nil
}

// maxRepeats bounds what a step can send.
const maxRepeats = 100000

// parseSend reads: send DESTINATION SOURCE ETHERTYPE HEX [times N] - a frame that need not make sense.
func parseSend(words []string) (command, error) {
	bad := errors.New("want: DESTINATION-MAC SOURCE-MAC ETHERTYPE HEX, and perhaps: times N")
	times := 1
	if len(words) == 6 && words[4] == "times" {
		if numberOption(&times, words[5]) != nil || times > maxRepeats {
			return command{}, bad
		}
		words = words[:4]
	}
	if len(words) != 4 {
		return command{}, bad
	}
	dst, err1 := frame.ParseMAC(words[0])
	src, err2 := frame.ParseMAC(words[1])
	etherType, err3 := strconv.ParseUint(words[2], 16, 16)
	payload, err4 := hex.DecodeString(words[3])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return command{}, errors.Join(bad, err)
	}
	b := append(make([]byte, frame.EthernetHeader), payload...)
	frame.Ethernet(b).SetHeader(dst, src, uint16(etherType))
	return command{host: func(h *Host, _ io.Writer) {
		for range times {
			h.cards[0].Send(b)
		}
	}}, nil
}
