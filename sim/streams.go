package sim

import (
	"io"
	"os"
	"syscall"
)

// streams are those of a program. Those that are files of this machine it has to itself, as a real program has: who starts it
// closes theirs.
type streams struct {
	in        io.Reader
	out, errs io.Writer
	copies    []*os.File
}

func ownStreams(in io.Reader, out, errs io.Writer) (_ *streams, err error) {
	f := &streams{in: in, out: out, errs: errs}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	own := func(stream any, set func(*os.File)) {
		if file, is := stream.(*os.File); is && err == nil {
			var copied *os.File
			if copied, err = duplicate(file); err == nil {
				f.copies = append(f.copies, copied)
				set(copied)
			}
		}
	}
	own(in, func(c *os.File) { f.in = c })
	own(out, func(c *os.File) { f.out = c })
	own(errs, func(c *os.File) { f.errs = c })
	return f, err
}

// duplicate opens a file a second time, which blocks, or does not, as the first does.
func duplicate(file *os.File) (*os.File, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if e := conn.Control(func(from uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(from)); err == nil {
			syscall.CloseOnExec(fd)
		}
	}); e != nil {
		return nil, e
	}
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

func (f *streams) close() {
	for _, c := range f.copies {
		c.Close()
	}
}
