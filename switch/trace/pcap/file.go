package pcap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrFull means that the disk is full, or that the user's share of it is. The capture ends with its last whole block.
var ErrFull = errors.New("no space left: the capture ends here, and what was written before can be opened")

// File is a capture file in which a Write is all or nothing: after a failed one the file ends where it ended before.
// It is for one goroutine.
type File struct {
	f    *os.File
	size int64
	pipe bool
}

// Create makes the capture file path with mode 0600. No link is followed, and what exists is refused; with force, an
// ordinary file that belongs to the caller alone is emptied and used. A FIFO that somebody reads is used as it is.
func Create(path string, force bool) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err == nil {
		return &File{f: f}, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("capture file: %w", err)
	}
	return openExisting(path, force)
}

// openExisting looks at what is there before opening it, and once more at what was opened, for it may have changed.
func openExisting(path string, force bool) (*File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("capture file: %w", err)
	}
	if err := refuse(path, info, force); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|noFollow|nonBlock, 0)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("capture file %s: nobody reads this FIFO; start the reader first", path)
	}
	if err != nil {
		return nil, fmt.Errorf("capture file: %w", err)
	}
	file := &File{f: f}
	if err := file.take(path, force); err != nil {
		f.Close()
		return nil, err
	}
	return file, nil
}

// take makes an existing file that was just opened ours.
func (f *File) take(path string, force bool) error {
	info, err := f.f.Stat()
	if err != nil {
		return fmt.Errorf("capture file: %w", err)
	}
	if err := refuse(path, info, force); err != nil {
		return err
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		f.pipe = true
		return nil
	}
	if err := f.f.Chmod(0o600); err != nil {
		return fmt.Errorf("capture file: %w", err)
	}
	if err := f.f.Truncate(0); err != nil {
		return fmt.Errorf("capture file: %w", err)
	}
	return nil
}

// refuse says why something that exists cannot be written to, or returns nil.
func refuse(path string, info fs.FileInfo, force bool) error {
	wrong := func(why string) error { return fmt.Errorf("capture file %s: %s", path, why) }
	switch mode := info.Mode(); {
	case mode&fs.ModeNamedPipe != 0:
		return nil
	case mode&fs.ModeSymlink != 0:
		return wrong("is a symbolic link, and links are not followed; give the file it points to")
	case mode.IsDir():
		return wrong("is a directory; give a file in it")
	case !mode.IsRegular():
		return wrong("is a device or a socket; give an ordinary file, or - for standard output")
	case !force:
		return wrong("exists; --force overwrites it")
	case !ownedAlone(info):
		return wrong("belongs to another user or has a second name (a hard link); remove it first")
	}
	return nil
}

// Write appends b, or nothing of it. The error is ErrFull when there is no space; into a FIFO a part may have gone.
func (f *File) Write(b []byte) (int, error) {
	n, err := f.f.Write(b)
	if err == nil {
		f.size += int64(n)
		return n, nil
	}
	if f.pipe {
		return n, err
	}
	if cut := f.cut(); cut != nil {
		return n, errors.Join(err, cut)
	}
	if full(err) {
		return 0, fmt.Errorf("%s: %w", f.f.Name(), ErrFull)
	}
	return 0, err
}

// cut takes off what a failed Write may have left behind the last whole one.
func (f *File) cut() error {
	if err := f.f.Truncate(f.size); err != nil {
		return err
	}
	_, err := f.f.Seek(f.size, io.SeekStart)
	return err
}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }
