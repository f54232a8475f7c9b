package world

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Lock is the right to run the lab of one name. It ends with the process, whatever ends that.
type Lock struct{ file *os.File }

// TakeLock takes the lock of a lab, in the file DIR/LAB.lock. The error of a lab that is up says which process runs it.
func TakeLock(dir, lab string) (*Lock, error) {
	path := filepath.Join(dir, lab+".lock")
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
		if err != nil {
			return nil, fmt.Errorf("the lab's lock: %w", err)
		}
		if held := tryLock(file); held != nil {
			defer file.Close()
			return nil, fmt.Errorf("lab %s is up already: %s runs it", lab, holder(file))
		}
		if same(file, path) {
			_ = file.Truncate(0)
			_, err := file.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
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

// holder names the process that is on record.
func holder(file *os.File) string {
	var text [20]byte
	n, _ := file.ReadAt(text[:], 0)
	if pid, err := strconv.Atoi(string(bytes.TrimSpace(text[:n]))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}

// same reports whether the path still leads to the file.
func same(file *os.File, path string) bool {
	opened, err := file.Stat()
	named, err2 := os.Lstat(path)
	return err == nil && err2 == nil && os.SameFile(opened, named)
}
