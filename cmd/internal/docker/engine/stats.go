package engine

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// ticks is how many of the units of /proc/PID/stat a second has: USER_HZ is 100 on all architectures of Linux that Go knows.
const ticks = 100

// Stats sums up what the processes of a container have used (proc_pid_stat(5), proc_pid_statm(5)). There are no control groups behind it:
// what ended processes have used is not in it.
func (e *Engine) Stats(reference string) (*types.Stats, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	if err != nil {
		return nil, err
	}
	s := &types.Stats{ID: c.id, Name: "/" + c.name}
	if !c.state.Running {
		return s, nil
	}
	s.Read, s.Networks, s.CPU.Online = e.now(), e.lab.Traffic(c.host()), runtime.NumCPU()
	if e.lab.Simulated() {
		return s, nil
	}
	pids, err := e.processes(c)
	if err != nil {
		return nil, failed("%w", err)
	}
	page := uint64(os.Getpagesize())
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // the name may hold anything
		if err != nil || len(fields) < 22 {
			continue // it has just ended
		}
		number := func(i int) uint64 { n, _ := strconv.ParseUint(fields[i], 10, 64); return n }
		s.CPU.Usage.Total += (number(11) + number(12)) * (1e9 / ticks)
		s.Memory.Usage += number(21) * page
		s.PIDs.Current++
	}
	s.Memory.Limit = machineMemory()
	return s, nil
}

// machineMemory is how much this machine has.
func machineMemory() uint64 {
	text, _ := os.ReadFile("/proc/meminfo")
	var kib uint64
	_, _ = fmt.Sscanf(string(text), "MemTotal: %d", &kib)
	return kib << 10
}
