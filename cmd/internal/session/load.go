package session

import (
	"fmt"
	"io"
	"os"
	"strings"

	"uswitch/cmd/internal/plan"
)

// Load makes the plan of a lab on this machine - its environment fills in ${VARIABLES}, its routes are kept clear of - and
// writes the plan's warnings.
func Load(name string, o plan.LoadOptions, warnings io.Writer) (*plan.Plan, error) {
	o.Taken = routes()
	return Read(name, o, warnings)
}

// Read is Load for a lab that is not to run here: of this machine, only the environment counts.
func Read(name string, o plan.LoadOptions, warnings io.Writer) (*plan.Plan, error) {
	if _, err := os.Getwd(); err != nil {
		return nil, fmt.Errorf("the current directory is gone or cannot be read: cd to another one (%w)", err)
	}
	o.Env = map[string]string{}
	for _, line := range os.Environ() {
		key, value, _ := strings.Cut(line, "=")
		o.Env[key] = value
	}
	p, err := plan.Load(name, o)
	if err != nil {
		return nil, err
	}
	for _, w := range p.Warnings {
		fmt.Fprintln(warnings, "uswitch: warning:", w)
	}
	return p, nil
}
