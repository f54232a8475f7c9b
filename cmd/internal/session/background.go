package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/rootless"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// A lab in the background is a process of its own, this very program started again:
//
//	uswitch up -d LAB             uswitch up --in-background LAB, in a session of its own
//	  stderr      <---------------  stderr, until the lab is up; then the log
//	  its name    <---------------  descriptor 3, with the process, when the lab is up; or nothing
//	                                stdout: the log, DIR/LAB.log
//
// So whoever starts it reads every warning and the error with which it fails, and knows when it is up.

// readyFile is the descriptor on which a lab in the background says that it is up.
const readyFile = 3

// maxLog bounds the log file of a lab in the background: what is in it is thrown away then, and it begins anew. The last
// lines of each host are remembered elsewhere (uswitch logs).
const maxLog = 4 << 20 // bytes

// Background starts this program again with args, in the background, and waits until its lab is up. What the process writes
// until then goes to stderr. It returns the lab's name and the process, or, if the lab does not come up, the status with which
// that has ended.
func Background(args []string, stderr io.Writer) (lab string, pid, status int, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", 0, 1, err
	}
	ready, readyEnd, err := os.Pipe()
	if err != nil {
		return "", 0, 1, err
	}
	defer ready.Close()
	errs, errsEnd, err := os.Pipe()
	if err != nil {
		readyEnd.Close()
		return "", 0, 1, err
	}
	defer errs.Close()
	cmd := exec.Command(self, args...)
	cmd.Stdin, cmd.Stderr, cmd.ExtraFiles, cmd.SysProcAttr = standardInput(args), errsEnd, []*os.File{readyEnd}, ownSession()
	err = cmd.Start()
	readyEnd.Close()
	errsEnd.Close()
	if err != nil {
		return "", 0, 1, err
	}
	stop := passOn(cmd.Process)
	defer stop()
	_, _ = io.Copy(stderr, errs) // until the lab is up, or its process has ended
	if n, _ := fmt.Fscan(ready, &lab, &pid); n == 2 {
		return lab, pid, 0, nil
	}
	err = cmd.Wait()
	if status = cmd.ProcessState.ExitCode(); status < 0 {
		return "", 0, 1, fmt.Errorf("the lab's process has ended before the lab was up: %w", err)
	}
	return "", 0, status, nil
}

// passOn passes the signals that are to end this process on to the lab's, which is in a session of its own and hears nothing of a
// Ctrl-C: so that whoever gives up waiting for the lab does not leave one behind that is coming up. This process ends with it.
func passOn(lab *os.Process) (stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, ending()...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for s := range signals {
			_ = lab.Signal(s)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-ended
	}
}

// standardInput is this process's, where a second one is to read a lab file there.
func standardInput(args []string) io.Reader {
	if slices.Contains(args, "-") || slices.Contains(args, "--file=-") {
		return os.Stdin
	}
	return nil
}

// logFile is the log of a lab in the background.
type logFile struct {
	*os.File
	bytes int
	anew  int // how often it has begun anew
}

// openLog makes the log of a lab, readable by its user alone, and turns this process's standard output there.
func openLog(dir, lab string) (*logFile, error) {
	path := logPath(dir, lab)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the lab's log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lab's log: %w", err)
	}
	syscall.CloseOnExec(readyFile)
	return &logFile{File: file}, redirect(file, os.Stdout)
}

func logPath(dir, lab string) string { return filepath.Join(dir, lab+".log") }

// grow counts what was written, and begins anew when that is too much. The first line then says so.
func (l *logFile) grow(n int) {
	if l.bytes += n; l.bytes <= maxLog || l.Truncate(0) != nil {
		return
	}
	l.anew++
	l.bytes, _ = fmt.Fprintf(l.File, "uswitch: this log begins anew at %d MiB, here for time %d: what was before this line is gone\n", maxLog>>20, l.anew)
}

// sayReady tells Background, which has started this process, which process has brought the lab up.
func sayReady(lab string, pid int) error {
	ready := os.NewFile(readyFile, "ready")
	_, err := fmt.Fprintf(ready, "%s %d\n", lab, pid)
	return errors.Join(err, ready.Close())
}

// end closes the log and removes it.
func (l *logFile) end() {
	_ = os.Remove(l.Name())
	l.Close()
}

// stopTime is how long a lab may take to go: its commands have world.Patience to end, and thousands of namespaces take the
// kernel half a minute.
const stopTime = world.Patience + time.Minute

// Stop takes a lab down and waits until it is gone: until its lock is free.
func Stop(ctx context.Context, c *api.Client) error {
	if err := c.Do(ctx, http.MethodPost, "/v1/stop", nil, nil, nil); err != nil {
		return err
	}
	return awaitGone(ctx, c.Lab())
}

// StopBegun is Stop for a lab that is still coming up, or going.
func StopBegun(ctx context.Context, b api.Begun) error {
	if err := b.Stop(); err != nil {
		return fmt.Errorf("lab %s: process %d, which is bringing it up: %w", b.Lab, b.PID, err)
	}
	return awaitGone(ctx, b.Lab)
}

// awaitGone waits until a lab that was told to stop is gone.
func awaitGone(ctx context.Context, lab string) error {
	deadline := time.Now().Add(stopTime)
	for time.Now().Before(deadline) {
		if !locked(lab) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("lab %s was told to stop, and is not gone after %v", lab, stopTime)
}

// locked reports whether the lab's lock is there: its file goes last.
func locked(lab string) bool {
	for _, dir := range api.Directories() {
		if _, err := os.Stat(filepath.Join(dir, lab+api.LockSuffix)); err == nil {
			return true
		}
	}
	return false
}

// Cleanup removes what labs have left behind whose process is gone, and says what it did.
func Cleanup() (did []string, err error) {
	dir, err := api.Directory()
	if err != nil {
		return nil, err
	}
	host, err := tap.New(dir)
	if err != nil {
		return nil, err
	}
	defer host.Close()
	found, err := host.Reclaim()
	for _, r := range found {
		if r.Outcome != tap.InUse {
			did = append(did, r.String())
		}
	}
	for _, lab := range traces(dir) {
		lock, taken := api.TakeLockToClean(dir, lab)
		if taken != nil {
			continue // it is up, or about to be
		}
		if n := rootless.EndLeft(dir, lab); n > 0 {
			did = append(did, fmt.Sprintf("processes of lab %s: %d ended; the lab's own is gone", lab, n))
		}
		path := api.Path(dir, lab)
		if api.Answers(path) { // the old path of a lab that is up
			err = errors.Join(err, lock.Release())
			continue
		}
		removed := os.Remove(path)
		if removed == nil {
			did = append(did, fmt.Sprintf("socket of lab %s: removed; nobody answered", lab))
		}
		if os.Remove(logPath(dir, lab)) == nil {
			did = append(did, fmt.Sprintf("log of lab %s: removed", lab))
		}
		err = errors.Join(err, lock.Release())
	}
	return did, err
}

// traces names the labs of which there is a lock, a socket or a log, sorted.
func traces(dir string) (labs []string) {
	for _, suffix := range []string{api.LockSuffix, filepath.Ext(api.Path(dir, "any")), filepath.Ext(logPath(dir, "any"))} {
		found, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
		for _, path := range found {
			labs = append(labs, strings.TrimSuffix(filepath.Base(path), suffix))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(labs)))
}
