package tap

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// gate lets the reader of a busy interface give way to everybody who has something to do. runtime.Gosched would not: Go's
// scheduler asks its poller who has become ready only when nobody else can run (runtime.findRunnable), and the goroutine that
// gives way can. A second busy interface would be heard, one that has waited would not, for up to 10 ms (runtime.sysmon).
//
// So whoever gives way waits in the poller itself, for an eventfd that it has just written to: the poller finds that behind all
// the interfaces that have become ready before. One gate serves a whole Host: who finds somebody waiting there waits along, and
// goes on when they do. (Were it to wait for its own turn there, whoever has just gone on would be back before it.)
type gate struct {
	once        sync.Once
	file        *os.File // nil where none was to be had
	raw         syscall.RawConn
	attemptFunc func(fd uintptr) (done bool) // the method attempt, as a value that is made once
	written     bool                         // guarded by the file's own lock of readers

	mu     sync.Mutex // guards what follows
	passed sync.Cond  // somebody has gone on
	taken  bool       // somebody waits in the poller
}

// one more, in the order of bytes of the machine (eventfd(2)).
var one = binary.NativeEndian.AppendUint64(nil, 1)

func (g *gate) open() {
	g.once.Do(func() {
		fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
		if err != nil {
			return
		}
		g.passed.L = &g.mu
		g.file, g.attemptFunc = os.NewFile(uintptr(fd), "eventfd"), g.attempt
		if g.raw, err = g.file.SyscallConn(); err != nil {
			g.file.Close()
			g.file = nil
		}
	})
}

// yield returns when everybody who was ready has had a turn.
func (g *gate) yield() {
	if g.file == nil {
		runtime.Gosched()
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.taken {
		g.passed.Wait()
		return
	}
	g.taken = true
	g.mu.Unlock()
	if g.raw.Read(g.attemptFunc) != nil { // the Host was closed
		runtime.Gosched()
	}
	g.mu.Lock()
	g.taken = false
	g.passed.Broadcast()
}

// attempt is called by the poller: at first it writes and has to wait, and when the poller has heard that, it is done. The
// count is never read: each write is heard, and 2^64 of them are never reached.
func (g *gate) attempt(fd uintptr) (done bool) {
	if g.written = !g.written; g.written {
		_, err := unix.Write(int(fd), one)
		g.written = err == nil
		return err != nil
	}
	return true
}

func (g *gate) close() {
	if g.file != nil {
		g.file.Close()
	}
}
