package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// cell is one thing that is measured.
type cell struct {
	name    string
	unit    string
	goal    string // of uswitch to the reference
	measure func(p pair, length time.Duration) (float64, error)
}

func cells() []cell {
	return []cell{
		{"TCP, 1 stream", "Gbit/s", "at least 0.95", tcp("-P", "1")},
		{"TCP, 4 streams", "Gbit/s", "", tcp("-P", "4")},
		{"TCP, both ways", "Gbit/s", "", tcp("--bidir")},
		{"round trip, median", "us", "at most 1.05", roundTrip("50.000")},
		{"round trip, 99 %", "us", "", roundTrip("99.000")},
		{"64-byte UDP", "kpps", "at least 0.95", packets},
	}
}

// iperf runs iperf3 from A to B and returns what it reports.
func iperf(p pair, length time.Duration, args ...string) (r report, err error) {
	err = p.serve(p.b, []string{"iperf3", "-s", "-1", "-B", addrB.Addr().String()}, func() error {
		seconds := strconv.Itoa(max(int(length.Seconds()), 1))
		out, err := p.run(p.a, append([]string{"iperf3", "-c", addrB.Addr().String(), "-J", "-t", seconds}, args...)...)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(out), &r)
	})
	return r, err
}

// report is the part of iperf3's JSON that is read.
type report struct {
	End struct {
		Received        sum `json:"sum_received"`
		ReceivedReverse sum `json:"sum_received_bidir_reverse"`
		Sum             sum `json:"sum"`
	} `json:"end"`
}

type sum struct {
	BitsPerSecond float64 `json:"bits_per_second"`
	Packets       float64 `json:"packets"`
	LostPackets   float64 `json:"lost_packets"`
	Seconds       float64 `json:"seconds"`
}

func tcp(args ...string) func(pair, time.Duration) (float64, error) {
	return func(p pair, length time.Duration) (float64, error) {
		r, err := iperf(p, length, args...)
		return (r.End.Received.BitsPerSecond + r.End.ReceivedReverse.BitsPerSecond) / 1e9, err
	}
}

// packets sends UDP datagrams of 18 bytes, 64 with all headers and the check sequence that a wire would add, as fast as
// they go, and counts what arrives.
func packets(p pair, length time.Duration) (float64, error) {
	r, err := iperf(p, length, "-u", "-l", "18", "-b", "0")
	if err == nil && r.End.Sum.Seconds == 0 {
		err = errors.New("iperf3 reports no time")
	}
	return (r.End.Sum.Packets - r.End.Sum.LostPackets) / r.End.Sum.Seconds / 1e3, err
}

// roundTrip sends one small UDP datagram at a time and waits for its echo. sockperf reports half of the round trip.
func roundTrip(percentile string) func(pair, time.Duration) (float64, error) {
	line := regexp.MustCompile(regexp.QuoteMeta("percentile "+percentile) + `\s*=\s*([0-9.]+)`)
	return func(p pair, length time.Duration) (us float64, err error) {
		err = p.serve(p.b, []string{"sockperf", "server", "-i", addrB.Addr().String()}, func() error {
			seconds := strconv.Itoa(max(int(length.Seconds()), 1))
			out, err := p.run(p.a, "sockperf", "ping-pong", "-i", addrB.Addr().String(), "-t", seconds, "-m", "18")
			if err != nil {
				return err
			}
			found := line.FindStringSubmatch(out)
			if found == nil {
				return fmt.Errorf("sockperf reports no percentile %s:\n%s", percentile, out)
			}
			us = 2 * number(found[1])
			return nil
		})
		return us, err
	}
}
