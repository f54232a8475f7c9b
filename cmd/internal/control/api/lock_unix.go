//go:build unix

package api

import (
	"os"
	"syscall"
)

const noFollow = syscall.O_NOFOLLOW

func tryLock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
