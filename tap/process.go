package tap

import "syscall"

// Process is a program that was started in a namespace. Wait is called once; the other methods may be called from any
// goroutine, and do nothing any more when it has returned.
type Process interface {
	// PID is the number that the program has on this machine; 0 if it is no process of this machine.
	PID() int

	// Signal sends a signal to the program; to all of its process group if it was started as the leader of one
	// (SysProcAttr.Setpgid).
	Signal(syscall.Signal) error

	// Ended is closed when the program has ended. Its last output may still be on its way to who reads it.
	Ended() <-chan struct{}

	// Wait waits for the end of the program and of its output, and returns the status that a shell would give: 128 and the
	// signal's number for a program that a signal has ended. What the leader of a process group leaves behind in its group is
	// ended, as the end of a container's first process does it.
	Wait() (status int)
}
