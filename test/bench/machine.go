//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes where this was measured.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, found := strings.CutPrefix(line, "model name"); found {
				model = strings.TrimSpace(strings.TrimLeft(name, " \t:"))
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	load, _ := os.ReadFile("/proc/loadavg")
	busy, _, _ := strings.Cut(string(load), " ")
	control, _ := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control")
	return fmt.Sprintf("%d x %s, Linux %s (%s), %s, load average %s before", runtime.NumCPU(), model,
		strings.TrimSpace(string(kernel)), strings.TrimSpace(string(control)), runtime.Version(), busy)
}
