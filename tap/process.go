package tap

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"syscall"
	"time"
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

// SIGHUP and SIGPIPE by their numbers, which are the same everywhere: not every system has the names.
const (
	SIGHUP  = syscall.Signal(1)
	SIGPIPE = syscall.Signal(13)
)

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
	Usual           bool    // nobody has asked for that: what cannot be taken away (CAP_SETPCAP), or is worth nothing (InUserNamespace), stays
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

// lateBytes bounds what is taken of a program's output after its end: as much as a pipe can hold. Who writes more than that
// is somebody whom the program has left behind.
const lateBytes = 1 << 20

// CopyOutput copies what a program writes, from our end of its pipe or terminal, until nobody is left who could write there
// or to fails. Once ended is closed, it takes what is there: all that the program has written, however long to takes for it
// and however late this runs. Others who still hold the other end are waited for until nothing has come for grace in all.
// It returns when to has all of it. Reading from must be possible with a deadline, as it is of os.Pipe and of a file that
// does not block.
func CopyOutput(to io.Writer, from *os.File, ended <-chan struct{}, grace time.Duration) {
	over := make(chan struct{})
	woken := make(chan struct{})
	go func() {
		defer close(woken)
		select {
		case <-ended:
			_ = from.SetReadDeadline(time.Now())
		case <-over:
		}
	}()
	b := make([]byte, 32<<10)
	_, err := copyUntil(to, from.Read, b, math.MaxInt)
	close(over)
	<-woken
	if errors.Is(err, os.ErrDeadlineExceeded) {
		copyLate(to, from, b, grace)
	}
}

// copyLate copies what comes after the program's end. Only the time counts in which there is nothing to copy.
func copyLate(to io.Writer, from *os.File, b []byte, grace time.Duration) {
	for late := 0; late < lateBytes; {
		n, err := copyUntil(to, func(b []byte) (int, error) { return readNow(from, b) }, b, lateBytes-late)
		late += n
		if !errors.Is(err, syscall.EAGAIN) || grace <= 0 {
			return
		}
		begun := time.Now()
		if from.SetReadDeadline(begun.Add(grace)) != nil {
			return
		}
		n, err = from.Read(b)
		grace -= time.Since(begun)
		late += n
		if n > 0 {
			if _, failed := to.Write(b[:n]); failed != nil {
				return
			}
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// copyUntil copies what read gives until that or to fails, which is the end as if nobody wrote any more, or at least limit
// bytes are copied.
func copyUntil(to io.Writer, read func([]byte) (int, error), b []byte, limit int) (copied int, err error) {
	for copied < limit && err == nil {
		var n int
		if n, err = read(b); n > 0 {
			copied += n
			if _, failed := to.Write(b[:n]); failed != nil {
				return copied, io.EOF
			}
		}
	}
	return copied, err
}

// readNow reads what is there, or fails with EAGAIN. File.Read would fail once the deadline is over, whatever is there: on a
// busy machine that may be before it has looked.
func readNow(from *os.File, b []byte) (n int, err error) {
	if err := from.SetReadDeadline(time.Time{}); err != nil {
		return 0, err
	}
	raw, err := from.SyscallConn()
	if err != nil {
		return 0, err
	}
	closed := raw.Read(func(fd uintptr) bool {
		for n, err = syscall.Read(int(fd), b); err == syscall.EINTR; n, err = syscall.Read(int(fd), b) {
		}
		return true
	})
	if closed != nil {
		return 0, closed
	}
	if n <= 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}
