package tap

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Start implements Host. A child gets the namespaces of the thread that forks it. Its death signal is sent when that
// thread ends, not the process; so the thread waits for the child's end too, and leaves collecting it to Process.Wait.
func (l *local) Start(ns Namespace, cmd *exec.Cmd) (Process, error) {
	return l.StartAs(ns, cmd, Rights{})
}

// StartAs implements Host.
func (l *local) StartAs(ns Namespace, cmd *exec.Cmd, r Rights) (Process, error) {
	return begin(cmd, func() error {
		if err := l.startIn(ns, cmd, &r); err != nil {
			return fmt.Errorf("start %s in namespace %s: %w", cmd.Path, ns.Name, err)
		}
		return nil
	})
}

// begin lets start start a program on a thread of its own.
func begin(cmd *exec.Cmd, start func() error) (Process, error) {
	if err := Startable(cmd); err != nil {
		return nil, err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	out, err := redirect(cmd)
	if err != nil {
		return nil, err
	}
	started, ended := make(chan error, 1), make(chan struct{})
	go onThread(func() error {
		err := fallBack()
		if err == nil {
			err = start()
		}
		if err != nil {
			started <- err
			return nil
		}
		defer close(ended)
		pid := cmd.Process.Pid
		started <- nil // and cmd is the caller's again
		return ignoringEINTR(func() error { return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) })
	})
	if err := <-started; err != nil {
		out.close()
		return nil, err
	}
	out.begin(ended)
	return child{cmd, out, ended}, nil
}

func (l *local) startIn(ns Namespace, cmd *exec.Cmd, r *Rights) error {
	if err := enter(ns); err != nil {
		return err
	}
	if err := remountSys(); err != nil {
		return err
	}
	if err := l.showFiles(ns); err != nil {
		return err
	}
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if err := r.take(cmd); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	return r.limit(cmd)
}

// remountSys gives the calling thread mounts of its own, in which /sys shows its network namespace, as "ip netns exec"
// does. Where mounting is forbidden the program gets the /sys that there is.
func remountSys() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare a mount namespace: %w", limitReached(err, "user/max_mnt_namespaces", "mount namespaces"))
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

// outputs copies what a command writes to writers that are no files, in place of exec.Cmd: that would throw away what is left
// WaitDelay after the command's end, also while somebody reads it.
type outputs struct {
	near, far []*os.File
	to        []io.Writer
	grace     time.Duration
	copying   sync.WaitGroup
}

// redirect gives a command pipes in place of its writers.
func redirect(cmd *exec.Cmd) (*outputs, error) {
	o := &outputs{grace: cmd.WaitDelay}
	both := cmd.Stdout != nil && sameWriter(cmd.Stdout, cmd.Stderr)
	for _, w := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		if _, isFile := (*w).(*os.File); isFile || *w == nil {
			continue
		}
		if both && len(o.far) > 0 {
			*w = o.far[0]
			continue
		}
		near, far, err := os.Pipe()
		if err != nil {
			o.close()
			return nil, err
		}
		o.near, o.far, o.to = append(o.near, near), append(o.far, far), append(o.to, *w)
		*w = far
	}
	return o, nil
}

// sameWriter compares as exec.Cmd does: writers that cannot be compared are two.
func sameWriter(a, b io.Writer) bool {
	defer func() { _ = recover() }()
	return a == b
}

// begin copies until the end of the command, which has started, and of its output.
func (o *outputs) begin(ended <-chan struct{}) {
	for _, far := range o.far {
		far.Close()
	}
	for i, near := range o.near {
		o.copying.Go(func() {
			defer near.Close()
			CopyOutput(o.to[i], near, ended, o.grace)
		})
	}
}

// close is for a command that does not start.
func (o *outputs) close() {
	for i := range o.near {
		o.near[i].Close()
		o.far[i].Close()
	}
}
