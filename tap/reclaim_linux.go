package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Reclaim implements Host.
func (l *local) Reclaim(labs ...string) ([]Reclaimed, error) {
	for _, lab := range labs {
		if err := checkName("lab", lab); err != nil {
			return nil, err
		}
	}
	if len(labs) == 0 {
		var err error
		if labs, err = l.records.labs(); err != nil {
			return nil, err
		}
	}
	var done []Reclaimed
	var failed []error
	for _, lab := range slices.Compact(slices.Sorted(slices.Values(labs))) {
		results, err := l.reclaimLab(lab)
		done = append(done, results...)
		if err != nil {
			failed = append(failed, fmt.Errorf("lab %s: %w", lab, err))
		}
	}
	return done, errors.Join(failed...)
}

func (l *local) reclaimLab(lab string) (done []Reclaimed, err error) {
	names, err := l.records.names(lab)
	if err != nil {
		return nil, err
	}
	err = l.names.locked(func() error {
		var failed []error
		for _, name := range names {
			result, err := l.reclaim(lab, name)
			switch {
			case errors.Is(err, fs.ErrNotExist): // another process was faster
			case err != nil:
				failed = append(failed, fmt.Errorf("namespace %s: %w", name, err))
			default:
				done = append(done, result)
			}
		}
		return errors.Join(append(failed, l.records.sweep(lab))...)
	})
	return done, err
}

// reclaim judges one record.
func (l *local) reclaim(lab, name string) (Reclaimed, error) {
	result := Reclaimed{Lab: lab, Namespace: name}
	entry, err := l.records.read(lab, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return result, err
	case err != nil:
		var known bool
		if entry, known = l.records.recover(lab, name, l.names.path(name)); !known {
			result.Outcome = Unreadable
			return result, l.records.remove(lab, name)
		}
	}
	result.PID = entry.PID
	if entry.alive() || entry.PID == 0 && l.records.answered(lab) {
		result.Outcome = InUse
		return result, nil
	}
	endInside(entry.ID)
	if result.Outcome, err = removeName(l.names.path(name), entry.ID); err != nil {
		return result, err
	}
	return result, l.records.remove(lab, name)
}

// recover makes up for a record that is damaged: the files that were made for the namespace of that name bear its identity. The
// process is not known if their mark is damaged as well.
func (r records) recover(lab, name, path string) (record, bool) {
	id, err := identify(path)
	if err != nil {
		return record{}, false
	}
	dir := r.filesDir(lab, id)
	if _, err := os.Stat(dir); err != nil {
		return record{}, false
	}
	o, _ := readOwner(dir)
	return record{Lab: lab, Namespace: name, process: o.process, ID: id}, true
}

// looks bounds how often endInside looks for processes that were begun while it ended others.
const looks = 20

// endInside ends the processes that are in a namespace, until none is left: what the programs of a lab have begun that ended
// itself with its process. Each is asked for the namespace's identity, for a number may be another one's by now.
func endInside(id ID) {
	for range looks {
		ended := 0
		processes, _ := filepath.Glob("/proc/[0-9]*/ns/net")
		for _, path := range processes {
			if target, err := os.Readlink(path); err != nil || target != id.String() {
				continue
			}
			pid, err := strconv.Atoi(strings.Split(path, "/")[2])
			if err != nil || pid == os.Getpid() {
				continue
			}
			process, err := unix.PidfdOpen(pid, 0) // from here on the number cannot become somebody else's
			if err != nil {
				continue
			}
			if now, err := identify(path); err == nil && now == id && unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0) == nil {
				ended++
				awaitEnd(process)
			}
			unix.Close(process)
		}
		if ended == 0 {
			return
		}
	}
}

// endTime is how long one process is waited for that was killed, in milliseconds.
const endTime = 1000

// awaitEnd waits until a process has ended (pidfd_open(2): it can be read then).
func awaitEnd(process int) {
	_ = ignoringEINTR(func() error {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, endTime)
		return err
	})
}
