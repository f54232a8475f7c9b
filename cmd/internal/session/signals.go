package session

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"uswitch/tap"
)

// signalError is the cause of a context that a signal has ended.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return e.signal.String() }

// Interruptible returns a context that the first signal ends, with the signal as its cause; a Ctrl-C behind it ends the
// process. Other signals behind it do not: uswitch down may find a lab that is going already, and the machine may go down with it. A write that nobody reads is an error from now on and no longer the end (SIGPIPE).
func Interruptible() (ctx context.Context, stop func()) { return interruptible(func() {}) }

// interruptible is Interruptible with a last word, which is called before a second one ends the process.
func interruptible(lastWord func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, ending()...)
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, tap.SIGPIPE)
	go func() {
		first, ok := <-signals
		if !ok {
			return
		}
		cancel(signalError{first.(syscall.Signal)})
		for second := range signals {
			if second == syscall.SIGINT {
				lastWord()
				os.Exit(128 + int(syscall.SIGINT))
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		signal.Stop(pipes)
		cancel(nil)
	}
}

// ending returns the signals that are to end a lab: SIGHUP unless it is ignored, as under nohup.
func ending() []os.Signal {
	wanted := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if runtime.GOOS != "js" && !signal.Ignored(tap.SIGHUP) { // a page gets no signals, and Ignored panics there
		wanted = append(wanted, tap.SIGHUP)
	}
	return wanted
}

// interrupted returns the status of something that a signal has ended before its end, or status if none has.
func interrupted(ctx context.Context, status int) int {
	var s signalError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &s):
		return 128 + int(s.signal)
	case errors.Is(cause, errNobodyReads):
		return 128 + int(tap.SIGPIPE)
	}
	return status
}

// inherited are the descriptors besides the three streams that whoever has started this process has left open, at the
// number from 3 on that they have; nil where there is none.
var inherited []*os.File

// keepInherited keeps the programs of hosts from them: they are for this process and what its person runs beside the lab.
func keepInherited() {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd < 3 {
			continue
		}
		if !inheritable(fd) {
			continue // our own, or gone
		}
		syscall.CloseOnExec(fd)
		for len(inherited) <= fd-3 {
			inherited = append(inherited, nil)
		}
		inherited[fd-3] = os.NewFile(uintptr(fd), name)
	}
}

// dropInherited closes them: a lab in the background would have them, and who waits for the end of a pipe, for ever.
func dropInherited() {
	for _, f := range inherited {
		f.Close() // of nil it is an error, and nothing else
	}
	inherited = nil
}
