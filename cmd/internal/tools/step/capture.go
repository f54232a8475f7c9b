package step

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// Captured reads the steps of a packet from a file that uswitch capture has written. lost is how many steps of packets the
// file has lost: some of this packet's may be among them.
func Captured(path string, packet uint64) (steps []api.Step, lost uint64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	last, in := uint64(0), pcap.NewReader(file)
	for {
		s, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", path, err)
		}
		last = max(last, s.Packet)
		if s.Packet == packet {
			steps = append(steps, stepOf(s, uint32(len(steps)+1)))
		}
	}
	switch {
	case last == 0:
		return nil, 0, fmt.Errorf("%s: its packets have no numbers: want a file that uswitch capture -w has written", path)
	case len(steps) == 0 && in.Lost() > 0:
		return nil, 0, fmt.Errorf("%s: packet %d is not in it, or among the %d steps that the capture has lost; the last one is %d", path, packet, in.Lost(), last)
	case len(steps) == 0:
		return nil, 0, fmt.Errorf("%s: packet %d is not in it; the last one is %d", path, packet, last)
	}
	return steps, in.Lost(), nil
}

// stepOf says of a captured step what a lab would say of it. The name of the interface is where the step was; all drops
// have one in common.
func stepOf(s pcap.Step, hop uint32) api.Step {
	e := trace.Event{IP: s.IP, Length: s.Length, Frame: frame.Frame{Data: s.Data}}
	h := e.Head(nil)
	step := api.Step{Time: s.Time, Packet: s.Packet, Hop: hop, Where: s.Name, What: "drop", Verdict: "drop", Text: trace.Printable(s.Text),
		Summary: h.Summary(), Length: h.Length, IP: s.IP, Data: s.Data}
	if i := strings.LastIndexByte(s.Name, ' '); i >= 0 {
		step.Where, step.What, step.Verdict = trace.Printable(s.Name[:i]), trace.Printable(s.Name[i+1:]), ""
	}
	return step
}
