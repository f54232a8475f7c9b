package tap

import (
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

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
