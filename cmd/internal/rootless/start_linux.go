package rootless

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mappedVariable names, in a process that Start has started, the descriptor that ends when its ids are mapped.
const mappedVariable = "USWITCH_MAPPED"

// enteredVariable is the working directory of a process that Enter has taken to a lab's namespaces.
const enteredVariable = "USWITCH_ENTERED"

// Begin finishes what Start and Enter have begun, and is called before anything else. In other processes it does nothing.
func Begin() error {
	if dir, entered := os.LookupEnv(enteredVariable); entered {
		os.Unsetenv(enteredVariable)
		return os.Chdir(dir)
	}
	text, waits := os.LookupEnv(mappedVariable)
	if !waits {
		return nil
	}
	os.Unsetenv(mappedVariable)
	fd, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	mapped := os.NewFile(uintptr(fd), "mapped")
	var ok [1]byte
	if n, _ := mapped.Read(ok[:]); n != 1 {
		os.Exit(1) // whoever has started this process says why
	}
	mapped.Close()
	// A process that was started before it had an id has lost its capabilities; one that starts as root has them.
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

// Start starts cmd, which is this program, in a user namespace in which this user is root, and in a mount namespace of its own.
// Where newuidmap is installed and the user has subordinate ids (subuid(5)), these are the other users in there; elsewhere
// there are none.
func Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNS
	users, groups := subordinate("/etc/subuid"), subordinate("/etc/subgid")
	if users == nil || groups == nil {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		return cmd.Start()
	}
	wait, mapped, err := os.Pipe()
	if err != nil {
		return err
	}
	defer mapped.Close()
	cmd.ExtraFiles = append(cmd.ExtraFiles, wait)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", mappedVariable, 2+len(cmd.ExtraFiles)))
	err = cmd.Start()
	wait.Close()
	if err != nil {
		return err
	}
	if err = mapIDs(cmd.Process.Pid, users, groups); err == nil {
		_, err = mapped.Write([]byte{1})
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return err
}

// mapIDs gives a process this user as root and the subordinate ids behind that or, where that is refused, this user alone.
func mapIDs(pid int, users, groups []string) error {
	newMap := func(program string, id int, more []string) error {
		return exec.Command(program, append([]string{strconv.Itoa(pid), "0", strconv.Itoa(id), "1", "1"}, more...)...).Run()
	}
	if users != nil && groups != nil && newMap("newuidmap", os.Geteuid(), users) == nil && newMap("newgidmap", os.Getegid(), groups) == nil {
		return nil
	}
	proc := fmt.Sprintf("/proc/%d/", pid)
	for _, one := range []struct{ file, text string }{
		{"uid_map", fmt.Sprintf("0 %d 1", os.Geteuid())}, {"setgroups", "deny"}, {"gid_map", fmt.Sprintf("0 %d 1", os.Getegid())},
	} {
		// What newuidmap has written before newgidmap has failed stays, and is as good.
		if err := os.WriteFile(proc+one.file, []byte(one.text), 0); err != nil && (one.file != "uid_map" || !hasMap(proc+one.file)) {
			return fmt.Errorf("%s: %w", one.file, innermost(err))
		}
	}
	return nil
}

func hasMap(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && len(text) > 0
}

// subordinate returns the first id and the number of this user's subordinate ids; nil: there are none, or nobody to map them.
func subordinate(file string) []string {
	if _, err := exec.LookPath("newuidmap"); err != nil || noNewPrivileges() {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	names := []string{strconv.Itoa(os.Geteuid())}
	if u, err := user.LookupId(names[0]); err == nil {
		names = append(names, u.Username)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		for _, name := range names {
			if len(fields) == 3 && fields[0] == name {
				return fields[1:]
			}
		}
	}
	return nil
}

// noNewPrivileges reports whether a set-user-ID program such as newuidmap is an ordinary one here.
func noNewPrivileges() bool {
	on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return err == nil && on == 1
}

// errOrphan says that whoever has started this process has gone meanwhile.
var errOrphan = errors.New("the process that has started this one has ended")

// DieWith makes the kernel kill this process when its parent ends, which has that number.
func DieWith(parent int) error {
	// A process that has become root by its start is nobody's to look at, and has lost its death signal (commit_creds in
	// kernel/cred.c): both come back here.
	if err := visible(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if os.Getppid() != parent {
		return errOrphan
	}
	return nil
}

// visible lets the person's other processes see what this one has open.
func visible() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }
