package server

import (
	"errors"
	"io"
	"net/http"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// captured tells of a capture that uswitch has written. Nothing of this lab goes into it: the file may be of another, and of another day.
func (s *Server) captured(r *http.Request) (any, error) {
	told, in, places := api.Captured{Journeys: []api.Journey{}}, pcap.NewReader(r.Body), map[uint64]int{}
	for {
		step, err := in.Next()
		var tooLarge *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF):
			told.Lost = in.Lost()
			return told, nil
		case errors.As(err, &tooLarge):
			return nil, err
		case err != nil:
			return nil, refuse(http.StatusUnprocessableEntity, words.Errorf("the capture: %w", err))
		case step.Packet == 0:
			return nil, refuse(http.StatusUnprocessableEntity, words.Errorf("the capture: its packets have no numbers: want a file that uswitch capture -w, or the page, has written"))
		}
		e := trace.Event{IP: step.IP, Length: step.Length, Frame: frame.Frame{Data: step.Data}}
		h := e.Head(reader(r), nil)
		place, known := places[step.Packet]
		if !known {
			place = len(told.Journeys)
			places[step.Packet] = place
			told.Journeys = append(told.Journeys, api.Journey{Packet: step.Packet,
				From: h.From, To: h.To, Proto: h.Proto, What: h.What, Length: h.Length, IP: h.IP})
		}
		j := &told.Journeys[place]
		j.Steps = append(j.Steps, capturedStep(step, h, uint32(len(j.Steps)+1)))
	}
}

func capturedStep(s pcap.Step, h trace.Head, hop uint32) api.Step {
	where, what := s.Place()
	step := api.Step{Time: s.Time, Packet: s.Packet, Hop: hop, Where: trace.Printable(where), What: trace.Printable(what), Text: trace.Printable(s.Text),
		Summary: h.Summary(), Length: h.Length, IP: s.IP, Data: s.Data[:min(len(s.Data), traceSnap)]}
	if what == pcap.Dropped {
		step.Verdict = trace.Drop.String()
	}
	return step
}
