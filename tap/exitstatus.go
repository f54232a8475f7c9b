package tap

import (
	"os"
	"syscall"
)

// ExitStatus returns the exit status that a shell would give: 128 and the signal's number for a program that a signal has
// ended.
func ExitStatus(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}
