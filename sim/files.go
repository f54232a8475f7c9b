package sim

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// A simulated host has this machine's files, as a namespace has, and a few of its own in their place.

// File makes the text of a file that the host has for itself; ok is false for all others.
func (s *Namespace) File(path string) (text string, ok bool) {
	if name, inEtc := strings.CutPrefix(path, "/etc/"); inEtc {
		s.mu.Lock()
		given, known := s.etc[name]
		s.mu.Unlock()
		if known {
			return string(given), true
		}
	}
	switch path {
	case "/etc/hostname", "/proc/sys/kernel/hostname":
		return s.Hostname() + "\n", true
	case "/etc/hosts":
		return s.hosts(), true
	case "/etc/resolv.conf":
		return fmt.Sprintf("nameserver %v\n", publicServer), true
	case "/proc/sys/net/ipv4/ip_forward":
		return "0\n", true // simulated hosts do not route
	}
	return "", false
}

// hidden reports whether a path leads to what is not the host's: the kernel of this machine, and how it is set up.
func hidden(path string) bool {
	for _, top := range []string{"/proc", "/sys", "/etc", "/run", "/dev"} {
		if path == top || strings.HasPrefix(path, top+"/") {
			return path != os.DevNull
		}
	}
	return false
}

// OpenFile opens a file as a program does whose working directory is dir; an empty one is this machine's. Errors are *os.PathError.
func (s *Namespace) OpenFile(dir, path string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	path = absolute(dir, path)
	text, own := s.File(path)
	switch {
	case own && flag&(os.O_WRONLY|os.O_RDWR) == 0:
		return readOnly{strings.NewReader(text)}, nil
	case own, hidden(path) && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, &os.PathError{Op: "open", Path: path, Err: errors.New("cannot be changed on a simulated host")}
	case hidden(path):
		return nil, &os.PathError{Op: "open", Path: path, Err: errors.New("a simulated host has no such file")}
	}
	return os.OpenFile(path, flag, perm)
}

// readOnly is a text as a file.
type readOnly struct{ *strings.Reader }

func (readOnly) Write([]byte) (int, error) { return 0, fs.ErrPermission }
func (readOnly) Close() error              { return nil }

// absolute returns a path from the root of all files.
func absolute(dir, path string) string {
	if !filepath.IsAbs(path) {
		if dir == "" {
			dir, _ = os.Getwd()
		}
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}

// Hostname is what /etc/hostname says, or the host's own name.
func (s *Namespace) Hostname() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(strings.TrimSpace(string(s.etc["hostname"])), s.Name)
}

// hosts is /etc/hosts of a host that was given none: it knows itself.
func (s *Namespace) hosts() string {
	text := "127.0.0.1\tlocalhost\n"
	for _, c := range s.Host.NICs() {
		if c.Addr().IsValid() {
			text += fmt.Sprintf("%v\t%s\n", c.Addr().Addr(), s.Name)
		}
	}
	return text
}

// publicServer is the name server of a host that was told of none: the simulated internet has one there, as the real one.
var publicServer = netip.AddrFrom4([4]byte{8, 8, 8, 8})
