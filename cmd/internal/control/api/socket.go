package api

import (
	"errors"
	"io/fs"
	"net"
	"path/filepath"
	"syscall"
	"time"
)

// suffix ends the name of a lab's socket: DIR/LAB.sock.
const suffix = ".sock"

// Path returns where the socket of a lab is.
func Path(dir, lab string) string { return filepath.Join(dir, lab+suffix) }

// Answers reports whether somebody listens on a socket.
func Answers(path string) bool {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist)
	}
	conn.Close()
	return true
}
