//go:build !unix

package lesson

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: there are no process groups.
func ownGroup(*exec.Cmd) {}

// foreground does nothing: terminals are shared as they are.
func foreground(*exec.Cmd, *os.File) (back func()) { return func() {} }

// hangUp does nothing.
func (j *job) hangUp() {}
