package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// DefaultListen is a port of the system's choice, for this machine alone.
const DefaultListen = "127.0.0.1:0"

// Listen opens where the page is asked for: 127.0.0.1:PORT, or unix:PATH. port is that by which it is reached; empty for a socket.
func Listen(where string) (l net.Listener, port string, err error) {
	if path, isSocket := strings.CutPrefix(where, "unix:"); isSocket {
		l, err = listenSocket(path)
		return l, "", err
	}
	host, _, err := net.SplitHostPort(where)
	if err != nil || host != "127.0.0.1" && host != "localhost" {
		return nil, "", fmt.Errorf("--listen %s: want 127.0.0.1:PORT, or unix:PATH: whoever has the page can run programs in the lab, so it is for this "+
			"machine alone; from another one, use ssh -L", where)
	}
	if l, err = net.Listen("tcp4", where); err != nil {
		return nil, "", fmt.Errorf("--listen %s: %w", where, err)
	}
	_, port, err = net.SplitHostPort(l.Addr().String())
	return l, port, err
}

// listenSocket makes a socket for its owner alone. One that nobody answers at any more is replaced, and nothing else is.
func listenSocket(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("--listen unix:%s: there is something that is no socket", path)
		}
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			conn.Close()
			return nil, fmt.Errorf("--listen unix:%s: somebody listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("--listen unix:%s: %w", path, err)
		}
	}
	// Between its making and its mode the socket is nobody's: it is made in a directory of our own, and moved.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".uswitch-")
	if err != nil {
		return nil, fmt.Errorf("--listen unix:%s: %w", path, err)
	}
	defer os.Remove(dir)
	made := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("--listen unix:%s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Link(made, path) // fails if somebody else came first
	}
	err = errors.Join(err, os.Remove(made))
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("--listen unix:%s: %w", path, err)
	}
	return &socket{l, path}, nil
}

// socket is a listener whose file goes with it.
type socket struct {
	net.Listener
	path string
}

func (s *socket) Close() error {
	err := s.Listener.Close()
	if err == nil {
		_ = os.Remove(s.path)
	}
	return err
}

// NewToken returns a secret that nobody can guess.
func NewToken() string { return rand.Text() }

// Invitation says how to get to the page: its address, with the token behind #, where browsers send it to nobody.
func Invitation(l net.Listener, port, token string) (text, url string) {
	if port != "" {
		url = "http://127.0.0.1:" + port + "/#token=" + token
		return "the page is at " + url, url
	}
	host, _ := os.Hostname()
	return fmt.Sprintf("the page is on a socket; from another machine: ssh -N -L 8080:%s %s, then open http://localhost:8080/#token=%s", l.(*socket).path, host, token), ""
}

// Open shows an address in the browser of the person who works here. Root opens nothing as root: the browser is started as who called
// sudo, or not at all.
func Open(url string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	cmd := exec.Command(program, url)
	if os.Geteuid() == 0 {
		uid, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
		if err != nil || uid == 0 {
			return errors.New("--open: a browser is not started as root: open the address yourself")
		}
		person, err := user.LookupId(os.Getenv("SUDO_UID"))
		if err != nil {
			return fmt.Errorf("--open: %w", err)
		}
		gid, err := strconv.ParseUint(person.Gid, 10, 32)
		if err != nil {
			return fmt.Errorf("--open: %w", err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		cmd.Env = append(os.Environ(), "HOME="+person.HomeDir, "USER="+person.Username, "XDG_RUNTIME_DIR=/run/user/"+person.Uid)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("--open: %w: open the address yourself", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
