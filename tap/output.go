package tap

import (
	"errors"
	"io"
	"math"
	"os"
	"syscall"
	"time"
)

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
