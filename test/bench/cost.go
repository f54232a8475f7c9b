//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// cost is the processor time that a subject's processes spend, and for what.
type cost struct {
	time  time.Duration
	bytes float64
	units float64 // packets or transactions
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

// memory is what a process holds in memory of its own, in bytes (proc_pid_status(5): RssAnon).
func memory(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("RssAnon:")); ok {
			n, _ := strconv.Atoi(string(bytes.Fields(value)[0]))
			return float64(n) * 1024
		}
	}
	return 0
}
