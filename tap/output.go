package tap

import (
	"errors"
	"io"
	"os"
	"time"
)

// lateBytes bounds what is taken of a program's output after its end: as much as a pipe can hold. Who writes more than that
// is somebody whom the program has left behind.
const lateBytes = 1 << 20

// CopyOutput copies what a program writes, from our end of its pipe or terminal, until nobody is left who could write there
// or to fails. Once ended is closed, it goes on with what is there, however long to takes for it; others who still hold the
// other end are waited for until nothing has come for grace in all. It returns when to has all of it.
func CopyOutput(to io.Writer, from *os.File, ended <-chan struct{}, grace time.Duration) {
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-ended:
			if from.SetReadDeadline(time.Now()) != nil {
				time.AfterFunc(grace, func() { from.Close() }) // a file that knows no deadlines
			}
		case <-over:
		}
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, failed := to.Write(b[:n]); failed != nil {
				return
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			copyLate(to, from, b, grace)
			return
		}
		if err != nil {
			return
		}
	}
}

// copyLate copies what comes after the program's end. Only the time counts in which there is nothing to copy.
func copyLate(to io.Writer, from *os.File, b []byte, grace time.Duration) {
	for taken := 0; grace > 0 && taken < lateBytes; {
		begun := time.Now()
		if from.SetReadDeadline(begun.Add(grace)) != nil {
			return
		}
		n, err := from.Read(b)
		grace -= time.Since(begun)
		taken += n
		if n > 0 {
			if _, failed := to.Write(b[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
