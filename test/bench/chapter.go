//go:build linux

package main

import (
	"os/exec"
)

// chapter is subjects and cells that belong together.
type chapter struct {
	title    string
	subjects []subject
	cells    []cell
	goals    []goal
	rounds   int // at the least, unless in a quick run: where a hundredth is to be told from noise
}

func chapters() []chapter {
	return append([]chapter{betweenTwo(), compiledIn(), toTheHost(), published(), bothFamilies(), watched()}, rootlessLabs()...)
}

// subject is something that carries bytes between two namespaces.
type subject struct {
	name  string
	needs []string          // programs
	up    func(*pair) error // brings it up; what it makes it gives to pair.undo
	slow  bool              // left out of a quick run
	only  string            // if not empty, only cells whose name begins so
}

// missing returns the programs that the subject needs and this machine has not.
func (s subject) missing() (names []string) {
	for _, name := range s.needs {
		if _, err := exec.LookPath(name); err != nil {
			names = append(names, name)
		}
	}
	return names
}

// cell is one thing that is measured.
type cell struct {
	name, unit string
	quick      bool // part of a quick run
	measure    func(*pair) (float64, error)
}

// goal is what uswitch is to reach in a cell, as a ratio to the best of some others.
type goal struct {
	cell    string
	subject string
	beside  []string
	name    string  // of the others together, if they are several
	atLeast float64 // 0: none
	atMost  float64 // 0: none; less is better then
}
