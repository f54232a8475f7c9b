package sim

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"
)

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
