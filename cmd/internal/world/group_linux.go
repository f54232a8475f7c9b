package world

import "syscall"

// ownGroup makes the command the leader of a process group, so that a terminal's Ctrl-C goes to uswitch alone, which then
// ends the commands in its own order, each with everything that it has started.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
