package web

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"syscall"
)

// Open shows an address in the browser of the person who works here. Root opens nothing as root: the browser is started as who called
// sudo, or not at all.
func Open(url string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	cmd := exec.Command(program, url)
	if os.Geteuid() == 0 {
		uid, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
		if err != nil || uid == 0 {
			return errors.New("--open: a browser is not started as root: open the address yourself")
		}
		person, err := user.LookupId(os.Getenv("SUDO_UID"))
		if err != nil {
			return fmt.Errorf("--open: %w", err)
		}
		gid, err := strconv.ParseUint(person.Gid, 10, 32)
		if err != nil {
			return fmt.Errorf("--open: %w", err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		cmd.Env = append(os.Environ(), "HOME="+person.HomeDir, "USER="+person.Username, "XDG_RUNTIME_DIR=/run/user/"+person.Uid)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("--open: %w: open the address yourself", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
