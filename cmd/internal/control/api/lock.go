package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"uswitch/cmd/internal/words"
)

// Lock is the right to run the lab of one name. It ends with the process, whatever ends that.
type Lock struct{ file *os.File }

// LockSuffix ends the name of a lab's lock.
const LockSuffix = ".lock"

// TakeLock takes the lock of a lab, in the file DIR/LAB.lock. The error of a lab that is up says which process runs it.
func TakeLock(dir, lab string) (*Lock, error) {
	for range 500 {
		l, err := takeLock(dir, lab, os.Getpid())
		var up *heldError
		if !errors.As(err, &up) || up.pid > 0 {
			return l, err
		}
		time.Sleep(10 * time.Millisecond) // somebody is about to say who it is, or only cleans up
	}
	return nil, words.Errorf("lab %s: another process has its lock, and does not say which", lab)
}

// TakeLockToClean takes the lock of a lab for a moment, in which nobody can bring it up. Nothing runs it meanwhile, and so nobody is on
// record.
func TakeLockToClean(dir, lab string) (*Lock, error) { return takeLock(dir, lab, 0) }

// heldError says who has a lock; pid is 0 where nobody is on record who has the file open.
type heldError struct {
	lab string
	pid int
}

func (e *heldError) Error() string {
	return fmt.Sprintf("lab %s is up already: process %d runs it", e.lab, e.pid)
}

// takeLock takes the lock, or returns a heldError, and puts pid on record.
func takeLock(dir, lab string, pid int) (*Lock, error) {
	path := filepath.Join(dir, lab+LockSuffix)
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
		if err != nil {
			return nil, words.Errorf("the lab's lock: %w", err)
		}
		if held := tryLock(file); held != nil {
			defer file.Close()
			if pid, ok := recorded(file); ok && hasOpen(pid, file) {
				return nil, &heldError{lab, pid}
			}
			return nil, &heldError{lab, 0}
		}
		if same(file, path) {
			err := file.Truncate(0)
			if pid > 0 {
				_, err = file.WriteAt(strconv.AppendInt(nil, int64(pid), 10), 0)
			}
			return &Lock{file}, err
		}
		file.Close() // whoever had it has just removed the file
	}
}

// Release gives the lock back and removes its file, in this order for those who look: while the file has its name, it is
// locked.
func (l *Lock) Release() error {
	err := os.Remove(l.file.Name())
	l.file.Close()
	return err
}

// recorded returns the process that is on record.
func recorded(file *os.File) (pid int, ok bool) {
	var text [20]byte
	n, _ := file.ReadAt(text[:], 0)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text[:n])))
	return pid, err == nil && pid > 0
}

// LockHolder returns the process that has a lab's lock. It does not try the lock, which would keep somebody else from taking it
// in that moment: the process is the one on record, if that has the file open.
func LockHolder(path string) (pid int, held bool) {
	file, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	pid, ok := recorded(file)
	return pid, ok && hasOpen(pid, file)
}

// hasOpen reports whether a process has a file open, where the system tells; elsewhere, whether there is the process.
func hasOpen(pid int, file *os.File) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	descriptors, err := os.ReadDir(dir)
	if _, none := os.Stat("/proc/self/fd"); none != nil {
		return syscall.Kill(pid, 0) == nil
	}
	return err == nil && slices.ContainsFunc(descriptors, func(d os.DirEntry) bool {
		theirs, err := os.Stat(filepath.Join(dir, d.Name()))
		mine, err2 := file.Stat()
		return err == nil && err2 == nil && os.SameFile(theirs, mine)
	})
}

// same reports whether the path still leads to the file.
func same(file *os.File, path string) bool {
	opened, err := file.Stat()
	named, err2 := os.Lstat(path)
	return err == nil && err2 == nil && os.SameFile(opened, named)
}

// Begun is a lab that a process of its own is bringing up or taking down: it has the lab's lock, and answers nobody.
type Begun struct {
	Lab  string
	PID  int
	path string // of the lock
}

// AllBegun lists the labs that are neither up nor gone, sorted by name.
func AllBegun() (all []Begun) {
	for _, dir := range Directories() {
		locks, _ := filepath.Glob(filepath.Join(dir, "*"+LockSuffix))
		for _, path := range locks {
			lab := strings.TrimSuffix(filepath.Base(path), LockSuffix)
			if Answers(Path(dir, lab)) {
				continue
			}
			if pid, held := LockHolder(path); held {
				all = append(all, Begun{lab, pid, path})
			}
		}
	}
	slices.SortFunc(all, func(a, b Begun) int { return cmp.Compare(a.Lab, b.Lab) })
	return all
}

// FindBegun returns the lab of that name that is neither up nor gone.
func FindBegun(name string) (Begun, bool) {
	all := AllBegun()
	name = called(name, func(lab string) bool { return slices.ContainsFunc(all, func(b Begun) bool { return b.Lab == lab }) })
	for _, b := range all {
		if b.Lab == name {
			return b, true
		}
	}
	return Begun{}, false
}

// Stop tells its process to end, as Ctrl-C does. One that has ended meanwhile is no error.
func (b Begun) Stop() error {
	if pid, held := LockHolder(b.path); !held || pid != b.PID {
		return nil
	}
	if err := syscall.Kill(b.PID, syscall.SIGTERM); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
