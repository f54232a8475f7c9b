package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a program finds around itself and may miss (F92): it works without it, or says what is missing and makes nothing.
//
//	F92  TestF92Environment   locale, HOME, PATH, /run, /tmp, the current directory
//	F92  TestF92DeniedSetns   seccomp, as containers have it, forbids to enter a namespace

func TestF92Environment(t *testing.T) {
	needs(t, "unshare", "setpriv", "env")
	t.Parallel()
	path := "PATH=" + os.Getenv("PATH")
	mounts := func(what string) []string {
		return []string{"unshare", "-m", "sh", "-c", what + ` && exec "$0" "$@"`}
	}
	nobody := []string{"setpriv", "--reuid", "65534", "--clear-groups"}
	tests := []struct {
		name   string
		front  []string // in front of uswitch
		args   []string // behind run; FILE is the lab's
		status int
		says   string
	}{
		{"an unknown locale", []string{"env", "LC_ALL=xx_XX.nothing", "LANGUAGE=ko"}, []string{"FILE", "--", "ping", "-c", "1", "127.0.0.1"}, 0, ""},
		{"nothing", []string{"env", "-i"}, []string{"FILE", "--", "/bin/true"}, 0, ""},
		{"no PATH", []string{"env", "-i"}, []string{"FILE", "--", "true"}, 127, "no program true on this machine's PATH"},
		{"no HOME", []string{"env", "-i", path}, []string{"FILE", "--", "true"}, 0, ""},
		{"no HOME, and not root", append([]string{"env", "-i", path}, nobody...), []string{"--sim", "FILE"}, 1, "want root, or XDG_RUNTIME_DIR or HOME set"},
		{"a HOME that is not there", append([]string{"env", "-i", path, "HOME=/nonexistent"}, nobody...), []string{"--sim", "FILE"}, 1, "the directory for the lab's socket: mkdir /nonexistent"},
		{"a directory with a long name", append([]string{"env", "-i", path, "XDG_RUNTIME_DIR=LONG"}, nobody...), []string{"--sim", "FILE"}, 1, "bytes long, and 103 are allowed"},
		{"/run is read-only", mounts("mount --bind /run /run && mount -o remount,bind,ro /run"), []string{"FILE", "--", "true"}, 0, "rootless: in a user namespace of its own"},
		{"/run is empty and read-only", mounts("mount -t tmpfs -o ro none /run"), []string{"FILE", "--", "true"}, 0, "rootless: in a user namespace of its own"},
		{"/tmp is read-only", []string{"unshare", "-m", "sh", "-c", `cd "$(dirname "$0")" && mount --bind . /mnt && mount -t tmpfs -o ro none /tmp && cd /mnt && shift && exec ./uswitch run lab.yaml "$@"`},
			[]string{"--trace", "off", "--", "true"}, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, threeHosts)
			program, file := everybodys(t, l.file)
			dir := filepath.Dir(program)
			long := filepath.Join(dir, strings.Repeat("d", 100))
			if err := os.Mkdir(long, 0o777); err != nil {
				t.Fatal(err)
			}
			must(t, "chmod", "777", long)
			argv := append(append([]string{}, test.front...), program, "run")
			for _, arg := range test.args {
				argv = append(argv, strings.ReplaceAll(arg, "FILE", file))
			}
			for i := range argv {
				argv[i] = strings.ReplaceAll(argv[i], "LONG", long)
			}
			text, status := output(t, argv...)
			if status != test.status || !strings.Contains(text, test.says) || strings.Contains(text, "goroutine ") {
				t.Errorf("status %d, want %d and %q: %s", status, test.status, test.says, text)
			}
			if _, err := os.Stat("/run/netns/" + l.ns("RED")); err == nil {
				t.Error("RED is left")
			}
		})
	}
	t.Run("the current directory is gone", func(t *testing.T) {
		dir := t.TempDir()
		text, status := output(t, "sh", "-c", `cd "$1" && rmdir "$1" && exec "$0" run red-blue`, uswitch, dir)
		if status != 1 || !strings.Contains(text, "the current directory is gone") {
			t.Errorf("status %d: %s", status, text)
		}
	})
}

func TestF92DeniedSetns(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	cmd := without(unix.SYS_SETNS, l.file)
	text, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() == 0 {
		t.Error("the lab was up without having entered a namespace")
	}
	contains(t, string(text), "namespaces can be made, but not entered", "seccomp", "operation not permitted", "--sim")
	if strings.Contains(string(text), "goroutine ") {
		t.Errorf("not a message for people:\n%s", text)
	}
	for _, host := range []string{"RED", "BLUE", "GREEN"} {
		if _, err := os.Stat("/run/netns/" + l.ns(host)); err == nil {
			t.Errorf("%s is left", host)
		}
	}
}

// deniedVariable is the path of the program that TestWithoutCall becomes.
const deniedVariable = "USWITCH_TEST_DENIED"

// without runs a lab whose process is refused a system call.
func without(call int, file string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestWithoutCall$")
	cmd.Env = append(os.Environ(), deniedVariable+"="+uswitch, "USWITCH_TEST_FILE="+file, fmt.Sprint("USWITCH_TEST_CALL=", call))
	return cmd
}

// TestWithoutCall is no test: it becomes the uswitch of without, with a filter on its system calls.
func TestWithoutCall(t *testing.T) {
	program := os.Getenv(deniedVariable)
	if program == "" {
		return
	}
	call, err := strconv.ParseUint(os.Getenv("USWITCH_TEST_CALL"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(call), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	rules := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // the filter is this thread's, and what it becomes
	err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if err == nil {
		err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&rules)), 0, 0)
	}
	if err == nil {
		err = unix.Exec(program, []string{program, "run", os.Getenv("USWITCH_TEST_FILE"), "--trace", "off", "--", "true"}, os.Environ())
	}
	t.Fatal(fmt.Errorf("a process without system call %d: %w", call, err))
}
