//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// watched is what it costs to look: the same lab, with a capture of every step, and with somebody who reads the trace.
func watched() chapter {
	c := chapter{
		title: "With somebody watching",
		subjects: []subject{
			{name: "uswitch", up: natLab(1500)},
			{name: "uswitch, capture", up: capturedLab},
			{name: "uswitch, trace read", up: readLab},
		},
		cells: []cell{
			{"TCP out, 1 stream", "Gbit/s", true, stream((*pair).forth)},
			{"TCP in, 1 stream", "Gbit/s", true, stream((*pair).forth, "-R")},
			{"round trip of a byte", "us", false, byteRoundTrip((*pair).forth)},
		},
	}
	for _, one := range c.cells[:2] {
		c.goals = append(c.goals, goal{cell: one.name, subject: "uswitch, capture", beside: []string{"uswitch"}, atLeast: 0.5})
	}
	return c
}

// capturedLab captures the first 128 bytes of every frame at every step.
func capturedLab(p *pair) error {
	file := filepath.Join(p.dir, "all.pcapng")
	p.undo(func() { _ = os.Remove(file) })
	return natLab(1500, "--trace", "off", "--pcap", file, "--force", "--snap", "128")(p)
}

// readLab has a reader of the trace, as text, who reads as fast as it comes.
func readLab(p *pair) error {
	if err := natLab(1500)(p); err != nil {
		return err
	}
	reader := p.command(p.b, p.uswitch, "trace", "--lab", fmt.Sprintf("bench%d", os.Getpid()))
	reader.Stdout, reader.Stderr = io.Discard, io.Discard
	pids := p.pids
	err := p.startBehind(reader, false)
	p.pids = pids // what the reader spends is not the lab's
	return err
}
