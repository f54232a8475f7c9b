package view

import (
	"fmt"
	"strings"
	"uswitch/cmd/internal/control/api"
)

// writeSent tells of the packet that was sent, below the prediction.
func writeSent(b *strings.Builder, s *api.Sent) {
	if s == nil {
		return
	}
	heading(b, "A real packet")
	sent := "from " + s.From
	if s.From == "" {
		sent = "the host's kernel chose no source"
	}
	switch {
	case s.Packet != 0:
		sent += fmt.Sprintf(": #%d in the trace, which `uswitch replay %d` shows", s.Packet, s.Packet)
	case s.Lost > 0:
		sent += fmt.Sprintf(": not found in the trace, which has lost %d steps", s.Lost)
	default:
		sent += ": nothing came to the switch"
	}
	line(b, "sent", sent)
	line(b, "heard", s.Heard)
	if s.Ended != nil {
		line(b, "dropped", fmt.Sprintf("%s %s, %s: (%s) %s", s.Ended.Where, s.Ended.Type, map[api.Way]string{api.There: "on the question's way",
			api.Back: "on the answer's way back"}[s.Ended.Way], s.Ended.Reason, s.Ended.Sentence))
		line(b, "matched", s.Ended.Rule.String())
	} else if s.Arrived != "" {
		line(b, "delivered", "to "+s.Arrived)
	}
	if s.Differs {
		line(b, "DIFFERS", "from the prediction, which said "+string(s.Tried))
	}
}
