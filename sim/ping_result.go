package sim

import (
	"fmt"
	"io"
	"math"
	"time"

	"uswitch/switch/frame"
)

// PingResult is what a ping found.
type PingResult struct {
	Sent, Received, Duplicates, Errors int
	Time                               time.Duration // from the first question to the last thing that happened
	Min, Max                           time.Duration // round trips
	Status                             int           // as ping exits: 0 something was received, 1 nothing, 2 nothing could be sent
	Failure                            error         // the first error that was heard, in ping's words, or ErrNoRoute

	sum, squares float64 // of the round trips, in microseconds
}

func (r *PingResult) count(took time.Duration) {
	if r.Received == 0 || took < r.Min {
		r.Min = took
	}
	r.Max = max(r.Max, took)
	r.Received++
	us := float64(took.Microseconds())
	r.sum += us
	r.squares += us * us
}

// summary prints the lines at the end.
func (r *PingResult) summary(out io.Writer, name string, outstanding int) {
	fmt.Fprintf(out, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", name, r.Sent, r.Received)
	if r.Duplicates > 0 {
		fmt.Fprintf(out, ", +%d duplicates", r.Duplicates)
	}
	if r.Errors > 0 {
		fmt.Fprintf(out, ", +%d errors", r.Errors)
	}
	if r.Sent > 0 {
		fmt.Fprintf(out, ", %g%% packet loss, time %dms", float32(r.Sent-r.Received)*100/float32(r.Sent), r.Time.Milliseconds())
	}
	fmt.Fprintln(out)
	separator := ""
	if r.Received > 0 {
		mean := r.sum / float64(r.Received)
		deviation := math.Sqrt(max(0, r.squares/float64(r.Received)-mean*mean))
		fmt.Fprintf(out, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms", float64(r.Min.Microseconds())/1e3, mean/1e3,
			float64(r.Max.Microseconds())/1e3, deviation/1e3)
		separator = ", "
	}
	if outstanding > 1 {
		fmt.Fprintf(out, "%spipe %d", separator, outstanding)
	}
	if r.Received > 0 || outstanding > 1 {
		fmt.Fprintln(out)
	}
}

// milliseconds prints a time with three digits that count, as ping does.
func milliseconds(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1e3
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f", ms)
	case ms >= 1:
		return fmt.Sprintf("%.2f", ms)
	}
	return fmt.Sprintf("%.3f", ms)
}

// String says what an error means, in ping's words.
func (e fault) String() string {
	return frame.ICMPError{Type: e.icmpType, Code: e.code, MTU: uint16(e.mtu)}.Ping()
}
