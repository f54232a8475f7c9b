package session

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/doctor"
	"uswitch/cmd/internal/rootless"
	"uswitch/cmd/internal/world"
	"uswitch/nat/uplink"
	"uswitch/tap"
)

// tried is a tap.Trial on its way from the process that has made it.
type tried struct {
	What     string
	Optional bool   `json:",omitempty"`
	Text     string `json:",omitempty"` // what went wrong; empty: nothing
	Errno    int    `json:",omitempty"`
}

// refusal is what went wrong elsewhere; the kernel's errno is behind it, if there was one.
type refusal struct {
	text   string
	number syscall.Errno
}

func (e *refusal) Error() string { return e.text }

func (e *refusal) Unwrap() error {
	if e.number == 0 {
		return nil
	}
	return e.number
}

// Diagnose tries what Run would do with a lab of so many hosts on real network interfaces, in processes that end with it and leave
// nothing behind.
func Diagnose(hosts int) *doctor.Findings {
	f := &doctor.Findings{Hosts: hosts, Files: uplink.FreeFiles(), DockerSocket: dockerSocket()}
	memory := world.BoundMemory()
	f.Memory, f.MemoryFrom = memory.Limit, memory.From
	missing := missingDirectories()
	defer func() {
		for _, dir := range missing {
			_ = os.Remove(dir) // unless somebody needs it by now
		}
	}()
	dir, noDir := api.Directory()
	f.NoDirectory = noDir
	f.Own, f.Root = tryIn(request{Dir: dir, Trial: RootOnly}, (*exec.Cmd).Start)
	made, mapped := rootless.Try()
	f.Namespace = []tap.Trial{{What: doctor.TrialUser, Err: made}}
	if made == nil {
		f.Namespace = append(f.Namespace, tap.Trial{What: doctor.TrialIDs, Err: mapped})
	}
	if noDir != nil {
		f.Root, f.RootlessErr = cmp.Or(f.Root, noDir), noDir
		return f
	}
	f.Rootless, f.RootlessErr = tryIn(request{Dir: dir, Trial: Rootless}, rootless.Start)
	return f
}

// Look says which labs can be had as far as that can be known without trying.
func Look() (likely doctor.Mode, because error) {
	host, err := tap.New("")
	if err != nil {
		return doctor.InMemory, err
	}
	defer host.Close()
	likely = doctor.Root
	if t, ok := host.(tap.Tryer); ok {
		for _, trial := range t.Look() {
			switch {
			case trial.Err == nil:
			case trial.What == tap.TrialTUN:
				return doctor.InMemory, trial.Err
			default:
				likely = doctor.Rootless
			}
		}
	}
	return likely, nil
}

// missingDirectories are those that a lab would make, the innermost first.
func missingDirectories() (missing []string) {
	for _, dir := range api.Directories() {
		for _, dir := range []string{filepath.Join(dir, rootless.InsideName), dir, filepath.Dir(dir)} {
			if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
				missing = append(missing, dir)
			}
		}
	}
	return missing
}

// dockerSocket is where the docker command looks for its daemon.
func dockerSocket() string {
	if path, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		return path
	}
	return "/var/run/docker.sock"
}

// tryIn has a process try, and returns what it has tried and why it cannot have a lab.
func tryIn(r request, start func(*exec.Cmd) error) (trials []tap.Trial, refused error) {
	r.Parent = os.Getpid()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	second, err := startSecond(r, start, null, null)
	if err != nil {
		return nil, noNamespace(err)
	}
	defer second.hold.Close()
	var said message
	err = second.messages.Decode(&said)
	<-second.ended
	if err != nil {
		return nil, fmt.Errorf("the process that was to try has ended: %v", second.cmd.ProcessState)
	}
	for _, t := range said.Tried {
		trials = append(trials, t.trial())
	}
	if said.Cannot != "" {
		refused = errors.New(said.Cannot)
	}
	return trials, refused
}

func (t tried) trial() tap.Trial {
	back := tap.Trial{What: t.What, Optional: t.Optional}
	if t.Text != "" {
		back.Err = &refusal{t.Text, syscall.Errno(t.Errno)}
	}
	return back
}

// try is what the second process does for Diagnose.
func try(r *request) (m message) {
	host, err := settle(r)
	if err != nil {
		return message{Cannot: err.Error()}
	}
	defer host.Close()
	if err := host.Check(); err != nil {
		m.Cannot = err.Error()
	}
	var trials []tap.Trial
	if t, ok := host.(tap.Tryer); ok {
		trials = t.Try()
	}
	for _, t := range slices.Concat(trials, doctor.Sockets()) {
		one := tried{What: t.What, Optional: t.Optional}
		if t.Err != nil {
			var number syscall.Errno
			_ = errors.As(t.Err, &number)
			one.Text, one.Errno = t.Err.Error(), int(number)
		}
		m.Tried = append(m.Tried, one)
	}
	return m
}
