//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a connection may take, and a byte.
const patience = 3 * time.Second

func address(at netip.AddrPort) unix.Sockaddr {
	if at.Addr().Is6() {
		return &unix.SockaddrInet6{Addr: at.Addr().As16(), Port: int(at.Port())}
	}
	return &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}
}

// streamSocket opens a socket for a stream in the family of an address.
func streamSocket(a netip.Addr) (int, error) {
	family := unix.AF_INET
	if a.Is6() {
		family = unix.AF_INET6
	}
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
}

// again repeats a system call that a signal has interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// connect opens a connection; after patience it gives up.
func connect(at netip.AddrPort) (int, error) {
	fd, err := streamSocket(at.Addr())
	if err != nil {
		return -1, err
	}
	limit := unix.NsecToTimeval(int64(patience))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.Connect(fd, address(at)); err != nil && !errors.Is(err, unix.EINTR) {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// exchange sends a byte and waits for it to come back.
func exchange(fd int) error {
	var b [1]byte
	if _, err := again(func() (int, error) { return unix.Write(fd, b[:]) }); err != nil {
		return err
	}
	n, err := again(func() (int, error) { return unix.Read(fd, b[:]) })
	if err == nil && n == 0 {
		err = errors.New("the connection ended")
	}
	return err
}

// serve echoes, with a thread for each connection of many at once, until it is killed.
func serve(at netip.AddrPort) error {
	fd, err := streamSocket(at.Addr())
	if err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := errors.Join(unix.Bind(fd, address(at)), unix.Listen(fd, 1024)); err != nil {
		return err
	}
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(func() {
			runtime.LockOSThread()
			for {
				c, err := again(func() (int, error) { c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC); return c, err })
				if err != nil {
					return
				}
				echo(c)
				unix.Close(c)
			}
		})
	}
	workers.Wait()
	return nil
}

func echo(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	var b [1]byte
	for {
		if n, err := again(func() (int, error) { return unix.Read(fd, b[:]) }); n <= 0 || err != nil {
			return
		}
		if _, err := again(func() (int, error) { return unix.Write(fd, b[:]) }); err != nil {
			return
		}
	}
}

// reach tries to exchange a byte until it works, for some seconds.
func reach(at netip.AddrPort) error {
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var fd int
		if fd, err = connect(at); err == nil {
			err = exchange(fd)
			unix.Close(fd)
			if err == nil {
				return nil
			}
		}
	}
	return err
}

// connections opens and closes connections, by 16 workers.
func connections(at netip.AddrPort, length time.Duration) (m measured, err error) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	start := time.Now()
	for range 16 {
		workers.Go(func() {
			runtime.LockOSThread()
			done, failed := 0, 0
			for time.Since(start) < length {
				fd, err := connect(at)
				if err == nil {
					err = exchange(fd)
					unix.Close(fd)
				}
				if err != nil {
					failed++
				} else {
					done++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			m.Count, m.Failed = m.Count+done, m.Failed+failed
		})
	}
	workers.Wait()
	m.Rate = float64(m.Count) / time.Since(start).Seconds()
	return m, nil
}

// oneByte sends a byte and waits for it, over and over.
func oneByte(at netip.AddrPort, length time.Duration) (m measured, err error) {
	fd, err := connect(at)
	if err != nil {
		return m, err
	}
	defer unix.Close(fd)
	var took []time.Duration
	for start, now := time.Now(), time.Now(); now.Sub(start) < length; {
		if err := exchange(fd); err != nil {
			return m, err
		}
		then := now
		now = time.Now()
		took = append(took, now.Sub(then))
	}
	return measured{Count: len(took), Median: middle(took)}, nil
}

// middle is the median, in microseconds.
func middle(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2].Nanoseconds()) / 1e3
}

// monotonic is the machine's clock, the same in every process.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // it cannot fail
	return t.Nano()
}

// shout sends broadcasts that tell when they were sent, far enough from each other for storm control.
func shout(at netip.AddrPort, count int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
		return err
	}
	for range count {
		if err := unix.Sendto(fd, binary.NativeEndian.AppendUint64(nil, uint64(monotonic())), 0, address(at)); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// hear receives them.
func hear(port, count int) (m measured, err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return m, err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port}); err != nil {
		return m, err
	}
	var took []time.Duration
	for len(took) < count {
		var b [8]byte
		if n, err := again(func() (int, error) { return unix.Read(fd, b[:]) }); err != nil || n != len(b) {
			return m, errors.Join(errors.New("no broadcast of ours"), err)
		}
		took = append(took, time.Duration(monotonic()-int64(binary.NativeEndian.Uint64(b[:]))))
	}
	return measured{Count: count, Median: middle(took)}, nil
}
