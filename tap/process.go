package tap

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

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

// Startable says in words what keeps a command from being started, as far as that shows beforehand: the kernel blames the
// program for a directory that is not there. The error wraps exec.ErrNotFound for a program that is in no directory of
// PATH.
func Startable(cmd *exec.Cmd) error {
	if cmd.Dir != "" {
		if info, err := os.Stat(cmd.Dir); err != nil {
			return fmt.Errorf("working directory %s: %v", cmd.Dir, errors.Unwrap(err))
		} else if !info.IsDir() {
			return fmt.Errorf("working directory %s: not a directory", cmd.Dir)
		}
	}
	if errors.Is(cmd.Err, exec.ErrNotFound) {
		return noProgram(cmd.Args[0])
	}
	return nil
}

// noProgram is the name of a program that is in no directory of PATH.
type noProgram string

func (p noProgram) Error() string {
	return fmt.Sprintf("no program %s on this machine's PATH", string(p))
}
func (p noProgram) Unwrap() error { return exec.ErrNotFound }

// ExitStatus returns the exit status that a shell would give: 128 and the signal's number for a program that a signal has
// ended.
func ExitStatus(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

// Rights are what a program may do besides what its kind of user may. The zero value is all that this process may.
type Rights struct {
	User            *User   // nil: this process's
	Capabilities    *uint64 // the only ones, by bits (capability(7)): nobody in the program gets others; nil: this process's
	NoNewPrivileges bool    // no program that it executes gets more (PR_SET_NO_NEW_PRIVS)
	ReadOnly        bool    // every file system is read-only but those below /dev and /proc
	Limits          []Limit
}

// User is whom a program runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32 // besides GID
}

// Limit bounds a resource (setrlimit(2)).
type Limit struct {
	Resource   int    // RLIMIT_NOFILE and such
	Soft, Hard uint64 // ^0: unlimited
}
