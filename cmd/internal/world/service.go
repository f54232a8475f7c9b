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

// A service is one run of a host's command; when the command is started again, that is another one. Its states follow each
// other:
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
	told    bool        // to end, rather than that it ends by itself
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
	s := h.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		pid = s.process.PID()
	}
	return s.state, pid, s.status
}

func newService(hasCommand bool) *service {
	s := &service{started: make(chan struct{}), ended: make(chan struct{}), state: Waiting}
	if !hasCommand {
		s.state = NoCommand
		close(s.started)
		close(s.ended)
	}
	return s
}

// start lets begin start the command, unless it was told to end before that. An error of begin's ends the service with the
// status that a shell gives for it.
func (s *service) start(begin func() (tap.Process, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Waiting {
		return nil
	}
	process, err := begin()
	if err != nil {
		s.endLocked(Status(nil, err))
		return err
	}
	s.state, s.process = Running, process
	close(s.started)
	return nil
}

// end enters the status with which the command has ended, or with which it stands for one that will never run.
func (s *service) end(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Waiting || s.state == Running {
		s.endLocked(status)
	}
}

func (s *service) endLocked(status int) {
	if s.state == Waiting {
		close(s.started)
	}
	s.state, s.status, s.process = Ended, status, nil
	close(s.ended)
}

// stop asks the command and what it has started to end, after patience makes them, and returns its status. One that waits does
// not start any more.
func (s *service) stop(patience time.Duration) (status int) {
	if s.tell(syscall.SIGTERM) {
		s.awaitEnd(patience)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// awaitEnd waits for the end of a command that was asked to end, and after patience makes it.
func (s *service) awaitEnd(patience time.Duration) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-s.ended:
	case <-late.C:
		s.tell(syscall.SIGKILL)
		<-s.ended
	}
}

// tell sends a signal to the command's process group; it reports whether there was one.
func (s *service) tell(sig syscall.Signal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = s.told || s.state == Waiting || s.state == Running
	switch s.state {
	case Waiting:
		s.endLocked(0)
	case Running:
		_ = s.process.Signal(sig)
		return true
	}
	return false
}

// wasTold reports whether somebody has told the command to end.
func (s *service) wasTold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
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
