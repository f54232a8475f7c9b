package tap_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"uswitch/tap"
)

// TestMain lets the test binary play the other process: as a child it does what the words after "child" say.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		if err := child(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child is a uswitch in small. "child check" tries out what is missing; "child hold DIR LAB NAME..." makes namespaces
// with an interface, files and a running program in each, says so, and holds them until it is killed.
func child(args []string) error {
	if args[0] == "check" {
		host, err := tap.New("")
		if err != nil {
			return err
		}
		return host.Check()
	}
	host, err := tap.New(args[1])
	if err != nil {
		return err
	}
	for _, name := range args[3:] {
		ns, err := host.Create(args[2], name)
		if err != nil {
			return err
		}
		if _, err := host.Open(ns, quietly("11.11.11.2/24")); err != nil {
			return err
		}
		if err := host.Files(args[2], ns, map[string][]byte{"hosts": []byte("127.0.0.1 localhost\n")}); err != nil {
			return err
		}
		cmd := exec.Command("sleep", "1000")
		if _, err := host.Start(ns, cmd); err != nil {
			return err
		}
		fmt.Println(cmd.Process.Pid)
	}
	fmt.Println("holding")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// holder is a child that holds namespaces.
type holder struct {
	cmd      *exec.Cmd
	programs []string // process ids of the programs inside
}

func hold(t *testing.T, dir, lab string, names ...string) *holder {
	t.Helper()
	h := &holder{cmd: exec.Command(os.Args[0], append([]string{"child", "hold", dir, lab}, names...)...)}
	h.cmd.Stderr = os.Stderr
	if _, err := h.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.kill()
		for _, name := range names {
			exec.Command("ip", "netns", "del", name).Run()
		}
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "holding" {
		h.programs = append(h.programs, strings.TrimSpace(lines.Text()))
	}
	if len(h.programs) != len(names) {
		t.Fatalf("the child holds %d of %d namespaces", len(h.programs), len(names))
	}
	return h
}

// kill ends the child as kill -9 does, and waits until it is no more.
func (h *holder) kill() {
	h.cmd.Process.Kill()
	h.cmd.Wait()
}
