package server

import (
	"net/http"

	"uswitch/cmd/internal/tools/graph"
)

// graph lays the lab out; ?open=GROUP, as often as need be, draws the hosts of a group one by one, ?open=* all of them.
func (s *Server) graph(r *http.Request) (any, error) {
	var l graph.Lab
	rows := []func() error{
		into(s.lab, &l.Lab), into(s.hosts, &l.Hosts), into(s.networks, &l.Networks), into(s.ports, &l.Ports),
		into(s.devices, &l.Devices), into(s.published, &l.Published)}
	for _, read := range rows {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return graph.Layout(&l, r.URL.Query()["open"]...), nil
}

// into returns what reads the answer of a handler that needs no request.
func into[T any](handler func(*http.Request) (any, error), row *T) func() error {
	return func() error {
		answer, err := handler(nil)
		if err == nil {
			*row = answer.(T)
		}
		return err
	}
}
