package tap

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Most rights are a thread's, and what it forks inherits them: so the thread that starts a program, and ends with it, gives
// them up first. A user is changed by the child itself, and limits belong to a whole process: the child, stopped at its first
// instruction (PTRACE_TRACEME), is given them before it goes on.

// take takes from the calling thread, which must come from onThread and have its mounts to itself, what the program that it
// is about to start must not have.
func (r *Rights) take(cmd *exec.Cmd) error {
	if r.ReadOnly {
		if err := readOnly(); err != nil {
			return fmt.Errorf("read-only: %w", err)
		}
	}
	if r.Capabilities != nil && !(r.Usual && InUserNamespace()) { // where they would be none over the machine
		if err := bound(*r.Capabilities); err != nil && !(r.Usual && err == unix.EPERM) {
			return fmt.Errorf("capabilities: %w", err)
		}
	}
	if r.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("no-new-privileges: %w", err)
		}
	}
	if r.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: r.User.UID, Gid: r.User.GID, Groups: r.User.Groups}
	}
	cmd.SysProcAttr.Ptrace = len(r.Limits) > 0
	return nil
}

// bound leaves these capabilities in the calling thread's bounding set, from which root's programs take theirs, and no others that
// would be inherited past it (capabilities(7), "Transformation of capabilities during execve").
func bound(keep uint64) error {
	_, all := Capabilities()
	for drop := all &^ keep; drop != 0; drop &= drop - 1 {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(bits.TrailingZeros64(drop)), 0, 0, 0); err != nil {
			return err
		}
	}
	header, data, err := capabilities()
	if err != nil {
		return err
	}
	data[0].Inheritable &= uint32(keep) // and with them the ambient ones
	data[1].Inheritable &= uint32(keep >> 32)
	return unix.Capset(header, &data[0])
}

// readOnly makes the calling thread's mounts read-only, but those below /dev and /proc.
func readOnly() error {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 6 {
			continue
		}
		path := unescape(string(fields[4]))
		if below(path, "/dev") || below(path, "/proc") {
			continue
		}
		switch err := remountReadOnly(path); {
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EINVAL): // under another mount
		case err != nil:
			return &os.PathError{Op: "remount", Path: path, Err: err}
		}
	}
	var root unix.Statfs_t
	if err := unix.Statfs("/", &root); err != nil {
		return err
	}
	if root.Flags&unix.ST_RDONLY == 0 {
		return errors.New("/ is still writable")
	}
	return nil
}

// remountReadOnly leaves a mount's other flags as they are, also where the kernel has no mount_setattr (before Linux 5.12).
func remountReadOnly(path string) error {
	err := unix.MountSetattr(unix.AT_FDCWD, path, 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	if err != unix.ENOSYS {
		return err
	}
	var now unix.Statfs_t
	if err := unix.Statfs(path, &now); err != nil {
		return err
	}
	const kept = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME | unix.MS_NODIRATIME // whose ST_ bits are the same
	flags := uintptr(now.Flags) & kept
	if now.Flags&unix.ST_RELATIME != 0 {
		flags |= unix.MS_RELATIME
	}
	return unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|flags, "")
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// unescape reads a path of mountinfo, in which blanks and such are \040 (proc_pid_mountinfo(5)).
func unescape(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+3 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// limit gives the program that this thread has started, and which waits for that, its limits, and lets it go.
func (r *Rights) limit(cmd *exec.Cmd) error {
	if len(r.Limits) == 0 {
		return nil
	}
	pid := cmd.Process.Pid
	var status unix.WaitStatus
	err := ignoringEINTR(func() error { _, err := unix.Wait4(pid, &status, 0, nil); return err })
	for _, l := range r.Limits {
		if err == nil {
			err = unix.Prlimit(pid, l.Resource, &unix.Rlimit{Cur: l.Soft, Max: l.Hard}, nil)
		}
	}
	if err == nil {
		err = unix.PtraceDetach(pid)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if err == unix.EPERM {
			return fmt.Errorf("limits: %w: this process has no CAP_SYS_RESOURCE", err) // which those of another user need
		}
		return fmt.Errorf("limits: %w", err)
	}
	return nil
}

// ownerOf finds the process that holds the TAP with this name in a namespace, and returns 0 if it is none or cannot be
// known: the interface may be of another kind, or the process out of sight.
func ownerOf(ns Namespace, name string) int {
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, path := range descriptors {
		if target, err := os.Readlink(path); err != nil || target != "/dev/net/tun" {
			continue
		}
		info, err := os.ReadFile(strings.Replace(path, "/fd/", "/fdinfo/", 1))
		if err != nil || !strings.Contains(string(info)+"\n", "iff:\t"+name+"\n") {
			continue
		}
		var pid, fd int
		if _, err := fmt.Sscanf(path, "/proc/%d/fd/%d", &pid, &fd); err != nil {
			continue
		}
		if inode, err := namespaceOfTAP(pid, fd); err == nil && inode == ns.ID.Inode {
			return pid
		}
	}
	return 0
}

// namespaceOfTAP returns the inode number of the namespace of another process's TAP. It borrows the descriptor
// (pidfd_getfd, Linux 5.6) to ask.
func namespaceOfTAP(pid, fd int) (uint64, error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(pidfd)
	tap, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(tap)
	namespace, err := unix.IoctlRetInt(tap, unix.TUNGETDEVNETNS)
	if err != nil {
		return 0, err
	}
	defer unix.Close(namespace)
	var stat unix.Stat_t
	err = unix.Fstat(namespace, &stat)
	return stat.Ino, err
}
