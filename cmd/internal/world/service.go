package world

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"uswitch/tap"
)

// A service is a host's command. Its states follow each other:
//
//	waiting ----> running ----> ended      for a command
//	     \---------------------> ended     one that could not be started, or was not, because what it waits for failed
//	none                                   a host without a command, which counts as started
type service struct {
	started chan struct{} // closed when the command runs, or will never
	ended   chan struct{} // closed when it has ended, or will never run

	mu      sync.Mutex // guards what follows
	state   ServiceState
	process tap.Process // while it runs
	status  int         // when it has ended
}

// ServiceState says what a host's command is doing.
type ServiceState string

// The states of a host's command.
const (
	NoCommand ServiceState = "none"
	Waiting   ServiceState = "waiting"
	Running   ServiceState = "running"
	Ended     ServiceState = "ended"
)

// Service returns what the host's command does, its process while it runs, and its status when it has ended.
func (h *Host) Service() (state ServiceState, pid, status int) {
	s := &h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		pid = s.process.PID()
	}
	return s.state, pid, s.status
}

func (s *service) init(hasCommand bool) {
	s.started, s.ended = make(chan struct{}), make(chan struct{})
	s.state = Waiting
	if !hasCommand {
		s.state = NoCommand
		close(s.started)
		close(s.ended)
	}
}

func (s *service) runs(p tap.Process) {
	s.mu.Lock()
	s.state, s.process = Running, p
	s.mu.Unlock()
	close(s.started)
}

// end enters the status; neverRan says that the command was not started.
func (s *service) end(status int, neverRan bool) {
	s.mu.Lock()
	s.state, s.status, s.process = Ended, status, nil
	s.mu.Unlock()
	if neverRan {
		close(s.started)
	}
	close(s.ended)
}

// stop asks the command and what it has started to end, and after patience makes them.
func (s *service) stop(patience time.Duration) {
	if !s.signal(syscall.SIGTERM) {
		return
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.signal(syscall.SIGKILL)
		<-s.ended
	}
}

// signal sends to the command's process group; it reports whether there was one.
func (s *service) signal(sig syscall.Signal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return false
	}
	_ = s.process.Signal(sig)
	return true
}

// Program returns the words of a command with the word uswitch replaced by this very program, wherever it is installed.
func Program(argv []string) []string {
	if len(argv) > 0 && argv[0] == "uswitch" {
		if self, err := os.Executable(); err == nil {
			return append([]string{self}, argv[1:]...)
		}
	}
	return argv
}

// Status returns the exit status that a shell would give: 128 and the signal's number for a command that a signal ended,
// 127 for one that was not found, 126 for one that could not be started.
func Status(state *os.ProcessState, err error) int {
	switch {
	case state != nil:
		return tap.ExitStatus(state)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return 127
	case err != nil:
		return 126
	}
	return 0
}
