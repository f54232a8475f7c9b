package tap

import (
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Start implements Host. A child gets the namespaces of the thread that forks it. Its death signal is sent when that
// thread ends, not the process; so the thread waits for the child's end too, and leaves collecting it to Process.Wait.
func (l *local) Start(ns Namespace, cmd *exec.Cmd) (Process, error) {
	if err := Startable(cmd); err != nil {
		return nil, err
	}
	started := make(chan error, 1)
	go onThread(func() error {
		err := l.startHere(ns, cmd)
		if err != nil {
			started <- fmt.Errorf("start %s in namespace %s: %w", cmd.Path, ns.Name, err)
			return nil
		}
		pid := cmd.Process.Pid
		started <- nil // and cmd is the caller's again
		return ignoringEINTR(func() error { return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) })
	})
	if err := <-started; err != nil {
		return nil, err
	}
	return child{cmd}, nil
}

func (l *local) startHere(ns Namespace, cmd *exec.Cmd) error {
	if err := enter(ns); err != nil {
		return err
	}
	if err := remountSys(); err != nil {
		return err
	}
	if err := l.showFiles(ns); err != nil {
		return err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	return cmd.Start()
}

// remountSys gives the calling thread mounts of its own, in which /sys shows its network namespace, as "ip netns exec"
// does. Where mounting is forbidden the program gets the /sys that there is.
func remountSys() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare a mount namespace: %w", err)
	}
	// Mounts of the machine still arrive here, those made here stay here.
	if unix.Mount("", "/", "none", unix.MS_SLAVE|unix.MS_REC, "") != nil {
		return nil
	}
	var stat unix.Statfs_t
	var flags uintptr
	if unix.Statfs("/sys", &stat) == nil && stat.Flags&unix.ST_RDONLY != 0 {
		flags = unix.MS_RDONLY
	}
	err := unix.Mount("sysfs", "/sys", "sysfs", flags, "")
	if err == unix.EPERM || err == unix.EACCES || err == unix.EBUSY { // busy: it shows this namespace already
		return nil
	}
	return err
}
