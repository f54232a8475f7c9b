//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// lookupEntries is how many addresses the table of BenchmarkLookup in package vswitch holds.
const lookupEntries = 100_000

// goBenchmark runs a benchmark of package vswitch and returns the nanoseconds of one operation.
func goBenchmark(ctx context.Context, pattern, tags string) (float64, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-tags", tags, "-run", "^$", "-bench", pattern, "-benchtime", "500ms",
		"uswitch/switch").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go test -bench %s: %w\n%s", pattern, err, out)
	}
	found := regexp.MustCompile(`([0-9.]+) ns/op`).FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("go test -bench %s tells no time:\n%s", pattern, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
