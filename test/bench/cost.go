//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// cost is what a subject's processes spend, and for what.
type cost struct {
	time   time.Duration // of a processor
	sleeps float64       // how often a thread has waited for something
	calls  float64       // system calls that read or write
	bytes  float64
	units  float64 // packets or transactions
}

// tick is the kernel's unit of processor time in /proc (sysconf(_SC_CLK_TCK), 100 everywhere).
const tick = 10 * time.Millisecond

// processorTime is what processes have spent so far, in the kernel and outside.
func processorTime(pids []int) (sum time.Duration) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 13 {
			continue // it has ended
		}
		for _, f := range fields[11:13] { // fields 14 and 15 of proc_pid_stat(5): utime and stime
			n, _ := strconv.Atoi(string(f))
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// spentBy is what processes have spent so far.
func spentBy(pids []int) cost {
	c := cost{time: processorTime(pids)}
	for _, pid := range pids {
		c.calls += fields(fmt.Sprintf("/proc/%d/io", pid), "syscr:", "syscw:")
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, status := range threads {
			c.sleeps += fields(status, "voluntary_ctxt_switches:")
		}
	}
	return c
}

// since is what was spent from before on. A thread that has ended meanwhile has taken its count along.
func (c cost) since(before cost) cost {
	return cost{time: c.time - before.time, sleeps: max(c.sleeps-before.sleeps, 0), calls: c.calls - before.calls}
}

// fields adds up the numbers behind names in a file of /proc.
func fields(path string, names ...string) (sum float64) {
	text, _ := os.ReadFile(path)
	for line := range bytes.Lines(text) {
		for _, name := range names {
			if value, ok := bytes.CutPrefix(line, []byte(name)); ok {
				n, _ := strconv.Atoi(string(bytes.Fields(value)[0])) // some have a unit
				sum += float64(n)
			}
		}
	}
	return sum
}

// memory is what a process holds in memory of its own, in bytes (proc_pid_status(5): RssAnon).
func memory(pid int) float64 {
	return 1024 * fields(fmt.Sprintf("/proc/%d/status", pid), "RssAnon:")
}
