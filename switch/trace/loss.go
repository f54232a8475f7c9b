package trace

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// LossLength is enough of a line to say of it what LossIn says.
const LossLength = 128

// lossText is the line in which a Printer says that events are missing.
func lossText(n uint64) string {
	events := " events"
	if n == 1 {
		events = " event"
	}
	return "(" + commas(n) + events + " lost: this reader is slower than the network)"
}

// LossIn returns how many events are missing according to a line that a Printer or a JSON has written; of any other line 0.
func LossIn(line []byte) uint64 {
	var loss struct{ Lost uint64 }
	switch {
	case bytes.HasPrefix(line, []byte(`{"lost":`)):
		_ = json.Unmarshal(line, &loss)
	case bytes.HasPrefix(line, []byte("(")):
		number, _, _ := bytes.Cut(line[1:], []byte(" "))
		n, err := strconv.ParseUint(string(bytes.ReplaceAll(number, []byte(","), nil)), 10, 64)
		if err == nil && string(bytes.TrimSpace(line)) == lossText(n) {
			return n
		}
	}
	return loss.Lost
}
