package sim

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"uswitch/switch/trace"
)

// Scenario is a world with a story: one txtar file.
//
//	The story, for a person.
//	-- topology --
//	network br0 11.11.11.0/24            see ParseTopology
//	host RED br0 11.11.11.2
//	-- steps --
//	RED: ping -c 1 11.11.11.1            what somebody types on a host, see hostCommands
//	iptables -t nat -S                   or in the lab, see labCommands
//	-- output --
//	$ RED: ping -c 1 11.11.11.1          what every step must print
//	...
//	-- trace --
//	...                                  and what the switch and the gateway must say of it; without this file nobody asks
type Scenario struct {
	archive  *txtar.Archive
	topology Topology
	steps    []step
}

// The files of a scenario.
const (
	topologyFile = "topology"
	stepsFile    = "steps"
	outputFile   = "output"
	traceFile    = "trace"
)

// step is one line of the steps.
type step struct {
	text string
	run  action
}

// action does what a step says, and prints to out. Whatever takes time runs the world until it has ended.
type action func(w *World, out io.Writer) error

// ParseScenario reads a scenario. The error names the file in the archive, the line, and what is allowed there.
func ParseScenario(data []byte) (*Scenario, error) {
	s := &Scenario{archive: txtar.Parse(data)}
	for _, f := range s.archive.Files {
		var err error
		switch f.Name {
		case topologyFile:
			s.topology, err = ParseTopology(string(f.Data))
		case stepsFile:
			s.steps, err = parseSteps(string(f.Data))
		case outputFile, traceFile:
		default:
			err = fmt.Errorf("file %q: want topology, steps, output and trace", f.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(s.topology.Networks) == 0 || len(s.steps) == 0 {
		return nil, fmt.Errorf("a scenario needs a topology with a network, and steps")
	}
	return s, nil
}

// Topology returns what the world of the scenario is built from.
func (s *Scenario) Topology() Topology { return s.topology }

// Story returns the text above the files.
func (s *Scenario) Story() string { return string(s.archive.Comment) }

func parseSteps(text string) ([]step, error) {
	var steps []step
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		run, err := parseStep(line)
		if err != nil {
			return nil, fmt.Errorf("steps:%d: %w", number, err)
		}
		steps = append(steps, step{line, run})
	}
	return steps, nil
}

// Times of a scenario: how long the lab has been up when it begins, so that the gateway has announced itself; and how
// long each step may take to settle, so that all frames have arrived.
const (
	warmUp = 3 * time.Second
	settle = 100 * time.Millisecond
)

// Run builds the world, carries out the steps, and returns what they printed and what was traced. The error says that the
// world cannot be built, or which step failed; what came until then is returned as well.
func (s *Scenario) Run() (output, traced string, err error) {
	w, err := New(s.topology)
	if err != nil {
		return "", "", err
	}
	w.RunFor(warmUp)
	var out, events, all bytes.Buffer
	printer := trace.NewPrinter(&events, trace.TextOptions{Names: w.Names()})
	if s.has(traceFile) {
		w.Watch(nil, printer)
	}
	for _, step := range s.steps {
		fmt.Fprintf(&out, "$ %s\n", step.text)
		err := step.run(w, &out)
		w.RunFor(settle)
		if err := printer.Flush(); err != nil {
			return out.String(), all.String(), err
		}
		if journeys := strings.Trim(events.String(), "\n"); journeys != "" {
			fmt.Fprintf(&all, "$ %s\n\n%s\n\n", step.text, journeys)
		}
		events.Reset()
		if err != nil {
			return out.String(), all.String(), fmt.Errorf("%s: %w", step.text, err)
		}
	}
	return out.String(), all.String(), nil
}

// Expected returns what the file says that Run returns.
func (s *Scenario) Expected() (output, traced string) { return s.file(outputFile), s.file(traceFile) }

// Update returns the file with other expectations. Where there is no trace, none is added.
func (s *Scenario) Update(output, traced string) []byte {
	updated := txtar.Archive{Comment: s.archive.Comment}
	found := false
	for _, f := range s.archive.Files {
		switch f.Name {
		case outputFile:
			f.Data, found = []byte(output), true
		case traceFile:
			f.Data = []byte(traced)
		}
		updated.Files = append(updated.Files, f)
	}
	if !found {
		updated.Files = append(updated.Files, txtar.File{Name: outputFile, Data: []byte(output)})
	}
	return txtar.Format(&updated)
}

func (s *Scenario) has(name string) bool {
	for _, f := range s.archive.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

func (s *Scenario) file(name string) string {
	for _, f := range s.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}
