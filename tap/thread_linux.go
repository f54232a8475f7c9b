package tap

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// onThread runs f on a thread of its own, which dies afterwards: whatever namespace f has moved it to, no other goroutine
// ever runs there.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		if unix.Gettid() != unix.Getpid() {
			done <- f()
			return
		}
		// The main thread cannot end, and is what others see of this process under /proc/PID/ns. Holding it here makes
		// the next goroutine get another one.
		done <- onThread(f)
		runtime.UnlockOSThread()
	}()
	return <-done
}

// Do runs f in a namespace, on a thread of its own: files of /proc/thread-self, sockets and programs that f opens or
// starts are the namespace's. Goroutines that f starts are not. It is not part of Host, for a function cannot be handed
// to a helper process; it is for tests and tools.
func Do(ns Namespace, f func() error) error {
	return onThread(func() error {
		if err := enter(ns); err != nil {
			return err
		}
		return f()
	})
}

// enter moves the calling thread, which must come from onThread, into a namespace.
func enter(ns Namespace) error {
	if !isHere(ns.Path) {
		if err := enterPath(ns.Path); err != nil {
			return fmt.Errorf("namespace %s: %w: %w", ns.Name, ErrReplaced, err)
		}
	}
	id, err := currentID()
	if err != nil {
		return fmt.Errorf("namespace %s: %w", ns.Name, err)
	}
	if id != ns.ID {
		return fmt.Errorf("namespace %s: %w: was %s, is %s", ns.Name, ErrReplaced, ns.ID, id)
	}
	return nil
}

// isHere reports whether a path leads to the namespace that the calling thread is in already: the machine's own may be used, but
// not entered, by whoever is root in a user namespace only.
func isHere(path string) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	here, err := os.Stat("/proc/thread-self/ns/net")
	return err == nil && os.SameFile(there, here)
}

func enterPath(path string) error {
	handle, err := netns.GetFromPath(path)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer handle.Close()
	if err := netns.Set(handle); err != nil {
		if err == unix.EINVAL {
			return fmt.Errorf("%s is not a network namespace", path)
		}
		return fmt.Errorf("setns %s: %w", path, err)
	}
	return nil
}

// currentID identifies the namespace that the calling thread is in.
func currentID() (ID, error) {
	var stat unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &stat); err != nil {
		return ID{}, fmt.Errorf("stat /proc/thread-self/ns/net: %w", err)
	}
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ID{}, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(socket)
	cookie, err := unix.GetsockoptUint64(socket, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil && err != unix.ENOPROTOOPT && err != unix.EINVAL { // before Linux 5.14, and under qemu-user
		return ID{}, fmt.Errorf("network namespace cookie: %w", err)
	}
	return ID{Dev: uint64(stat.Dev), Inode: stat.Ino, Cookie: cookie}, nil
}

// identify finds out which namespace a path leads to.
func identify(path string) (id ID, err error) {
	err = onThread(func() error {
		if !isHere(path) {
			if err := enterPath(path); err != nil {
				return err
			}
		}
		id, err = currentID()
		return err
	})
	return id, err
}

// On a machine with few processors, whatever a lab's programs do keeps uswitch from carrying what they wait for, and each of them
// that runs first costs all of them a turn. So uswitch goes before them, as the kernel does where it is the switch: a packet is
// handled in the interrupt that brings it. The kernel's unit is the nice value (sched(7)), and it is a thread's.

// ahead is by how much.
const ahead = 10

// precedes says that this process goes ahead. It is the process's own property, as its nice value is.
var precedes atomic.Bool

// Precede lets this process go before the programs that it starts, which keep the priority that it has had. It returns false,
// and has changed nothing, if it may not (CAP_SYS_NICE, RLIMIT_NICE), or if somebody has chosen a priority for it.
func Precede() bool {
	if nice, err := niceValue(0); err != nil || nice != 0 {
		return false
	}
	// A new thread has the priority of the one that makes it: when all have it, they all will. Those that are made meanwhile
	// are found the next time.
	for changed := true; changed; {
		changed = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return false
		}
		for _, t := range threads {
			id, _ := strconv.Atoi(t.Name())
			if nice, err := niceValue(id); err != nil || nice == -ahead { // it has ended, or has it
				continue
			}
			switch err := unix.Setpriority(unix.PRIO_PROCESS, id, -ahead); err {
			case nil:
				changed = true
			case unix.ESRCH:
			default:
				return false
			}
		}
	}
	precedes.Store(true)
	return true
}

// niceValue is the nice value of a thread, 0 being the calling one.
func niceValue(thread int) (int, error) {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, thread)
	return 20 - raw, err // as the system call itself returns it (getpriority(2))
}

// fallBack takes the precedence from the calling thread, which must come from onThread, and so from what it starts.
func fallBack() error {
	if !precedes.Load() {
		return nil
	}
	return os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 0))
}

// StartBehind starts a program where this process is, without its precedence.
func StartBehind(cmd *exec.Cmd) error {
	return onThread(func() error {
		if err := fallBack(); err != nil {
			return err
		}
		return cmd.Start()
	})
}
