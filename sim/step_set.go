package sim

import (
	"errors"
	"fmt"
	"io"
	"strings"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

var errSet = errors.New("want: gateway ip_forward=1, port NETWORK PORT KNOB=VALUE, or fdb NETWORK MAC PORT")

// parseSet reads what `uswitch set` changes.
func parseSet(words []string, _ string) (action, error) {
	switch {
	case len(words) == 2 && words[0] == "gateway" && (words[1] == "ip_forward=0" || words[1] == "ip_forward=1"):
		return func(w *World, _ io.Writer) error {
			w.gateway.SetForwarding(words[1] == "ip_forward=1")
			return nil
		}, nil
	case len(words) == 4 && words[0] == "port":
		name, value, _ := strings.Cut(words[3], "=")
		knob := []string{name, value}
		if err := readOptions(knob, knobOptions(new(vswitch.Knobs))); err != nil {
			return nil, err
		}
		return func(w *World, _ io.Writer) error { return setKnob(w, words[1], words[2], knob) }, nil
	case len(words) == 4 && words[0] == "fdb":
		mac, err := frame.ParseMAC(words[2])
		if err != nil {
			return nil, err
		}
		return func(w *World, _ io.Writer) error {
			s, p, err := w.port(words[1], words[3])
			if err != nil {
				return err
			}
			return s.SetStatic(mac, p, false)
		}, nil
	}
	return nil, errSet
}

func setKnob(w *World, network, port string, knob []string) error {
	s, p, err := w.port(network, port)
	if err != nil {
		return err
	}
	knobs := p.Knobs()
	if err := readOptions(knob, knobOptions(&knobs)); err != nil {
		return err
	}
	s.SetKnobs(p, knobs)
	return nil
}

func (w *World) port(network, name string) (*vswitch.Switch, *vswitch.Port, error) {
	s, ok := w.Switch(network)
	if !ok {
		return nil, nil, fmt.Errorf("network %q: there is no such network", network)
	}
	p, ok := s.Port(name)
	if !ok {
		return nil, nil, fmt.Errorf("network %s: there is no port %q", network, name)
	}
	return s, p, nil
}
