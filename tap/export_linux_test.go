package tap

import "os/exec"

// StartHere starts a program where this process is, and follows it as Host.Start does.
func StartHere(cmd *exec.Cmd) (Process, error) { return begin(cmd, cmd.Start) }
