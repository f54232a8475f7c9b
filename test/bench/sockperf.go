//go:build linux

package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// roundTrip sends one small UDP datagram at a time and waits for its echo, in microseconds. sockperf reports half of it.
func roundTrip(percentile string) func(*pair) (float64, error) {
	line := regexp.MustCompile(regexp.QuoteMeta("percentile "+percentile) + `\s*=\s*([0-9.]+)`)
	return func(p *pair) (us float64, err error) {
		to, port := p.target.String(), strconv.Itoa(servicePort)
		out, err := p.between(p.forth(), "udp", []string{"sockperf", "server", "-i", to, "-p", port},
			[]string{"sockperf", "ping-pong", "-i", to, "-p", port, "-t", strconv.Itoa(max(int(p.length.Seconds()), 1)), "-m", "18"})
		if err != nil {
			return 0, err
		}
		found := line.FindStringSubmatch(out)
		if found == nil {
			return 0, fmt.Errorf("sockperf reports no percentile %s:\n%s", percentile, out)
		}
		half, err := strconv.ParseFloat(found[1], 64)
		return 2 * half, err
	}
}
