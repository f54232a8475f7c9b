//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// report is the part of iperf3's JSON that is read.
type report struct {
	End struct {
		Received        sum `json:"sum_received"`
		ReceivedReverse sum `json:"sum_received_bidir_reverse"`
		Sum             sum `json:"sum"`
	} `json:"end"`
}

type sum struct {
	Bytes         float64 `json:"bytes"`
	BitsPerSecond float64 `json:"bits_per_second"`
	Packets       float64 `json:"packets"`
	LostPackets   float64 `json:"lost_packets"`
	Seconds       float64 `json:"seconds"`
}

func (p *pair) iperf(r route, args ...string) (got report, err error) {
	family, everywhere := "-4", "0.0.0.0"
	if r.target.Addr().Is6() {
		family, everywhere = "-6", "::"
	}
	client := append([]string{"iperf3", family, "-J", "-c", r.target.Addr().String(), "-p", strconv.Itoa(int(r.target.Port())),
		"-t", strconv.Itoa(max(int(p.length.Seconds()), 1)), "--connect-timeout", "3000"}, args...)
	server := []string{"iperf3", family, "-s", "-1", "-B", everywhere, "-p", strconv.Itoa(int(r.listen))}
	out, err := p.between(r, "tcp", server, client)
	if err == nil {
		err = json.Unmarshal([]byte(out), &got)
	}
	return got, err
}

// stream measures TCP in Gbit/s; args are more of iperf3's: -P 4, -R, --bidir.
func stream(way func(*pair) route, args ...string) func(*pair) (float64, error) {
	return func(p *pair) (float64, error) {
		r, err := p.iperf(way(p), args...)
		if err != nil {
			return 0, err
		}
		p.spent.bytes = r.End.Received.Bytes + r.End.ReceivedReverse.Bytes
		return (r.End.Received.BitsPerSecond + r.End.ReceivedReverse.BitsPerSecond) / 1e9, nil
	}
}

// datagrams sends UDP payloads of that many bytes as fast as they go, and counts thousands a second that arrive.
func datagrams(payload int) func(*pair) (float64, error) {
	return func(p *pair) (float64, error) {
		r, err := p.iperf(p.forth(), "-u", "-l", strconv.Itoa(payload), "-b", "0")
		if err != nil {
			return 0, err
		}
		sum := r.End.Sum
		if sum.Seconds == 0 {
			return 0, errors.New("iperf3 reports no time")
		}
		p.spent.units = sum.Packets - sum.LostPackets
		return p.spent.units / sum.Seconds / 1e3, nil
	}
}

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
