package engine

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// Top lists the processes of a container as ps does, with its options: those of all the machine's that are in the container's network
// namespace.
func (e *Engine) Top(reference, options string) (*types.Top, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	switch {
	case err != nil:
		return nil, err
	case !c.state.Running:
		return nil, conflict("container %s is not running", c.id)
	case e.lab.Simulated():
		return nil, failed("%s is simulated: its programs are no processes of this machine's", c.name)
	}
	if options == "" {
		options = "-ef"
	}
	text, err := exec.Command("ps", strings.Fields(options)...).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, failed("ps: %v: docker top asks this machine's ps", err)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, failed("ps: %s", bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return nil, failed("ps: %v", err)
	}
	pids, err := e.processes(c)
	if err != nil {
		return nil, failed("%w", err)
	}
	return chooseProcesses(string(text), pids)
}

// processes are those of a container: all in its network namespace or, where others have that too, those that its command has begun. It
// needs the lock.
func (e *Engine) processes(c *container) ([]int, error) {
	if _, shared := c.shared(); !shared && c.mode() != hostNetwork {
		return e.lab.Processes(c.host())
	}
	text, err := exec.Command("ps", "-e", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, err
	}
	pids := []int{c.state.Pid}
	for i := 0; i < len(pids); i++ {
		for line := range strings.Lines(string(text)) {
			var pid, parent int
			if n, _ := fmt.Sscan(line, &pid, &parent); n == 2 && parent == pids[i] {
				pids = append(pids, pid)
			}
		}
	}
	return pids, nil
}

// chooseProcesses keeps of what ps has printed the rows of some processes.
func chooseProcesses(text string, pids []int) (*types.Top, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	top := &types.Top{Titles: strings.Fields(lines[0]), Processes: [][]string{}}
	column := slices.Index(top.Titles, "PID")
	if column < 0 {
		return nil, failed("Couldn't find PID field in ps output")
	}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		if len(fields) <= column {
			continue
		}
		pid, err := strconv.Atoi(fields[column])
		if err != nil || !slices.Contains(pids, pid) {
			continue
		}
		last := len(top.Titles) - 1 // the command, which has blanks of its own
		if len(fields) > last {
			fields = append(fields[:last:last], strings.Join(fields[last:], " "))
		}
		top.Processes = append(top.Processes, fields)
	}
	return top, nil
}
