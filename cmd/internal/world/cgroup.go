package world

import (
	"path"
	"strconv"
	"strings"
)

// cgroupLimit returns the smallest memory limit of the control groups that this process is in, of version 1 or 2, and the file
// that says so; 0 without one, and where there are no control groups. A limit of a group holds for all that are in it, at any
// depth (admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst). read reads a file.
func cgroupLimit(read func(string) ([]byte, error)) (limit int64, from string) {
	groups, err := read("/proc/self/cgroup")
	if err != nil {
		return 0, ""
	}
	mounts, err := read("/proc/self/mountinfo")
	if err != nil {
		return 0, ""
	}
	for line := range strings.Lines(string(groups)) {
		// 4:memory:/a/b with version 1, 0::/a/b with version 2.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		kind, file := "cgroup2", "memory.max"
		if parts[0] != "0" || parts[1] != "" {
			kind, file = "cgroup", "memory.limit_in_bytes"
			if !hasWord(parts[1], "memory") {
				continue
			}
		}
		for _, m := range cgroupMounts(string(mounts), kind) {
			group := strings.TrimPrefix(parts[2], strings.TrimSuffix(m.root, "/"))
			for ; ; group = path.Dir(group) {
				name := path.Join(m.at, group, file)
				// The kernel says max, or with version 1 a number beyond all memory, for none.
				b, _ := read(name)
				n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
				if err == nil && n < 1<<60 && (limit == 0 || n < limit) {
					limit, from = n, name
				}
				if group == "/" || group == "." || group == "" {
					break
				}
			}
		}
	}
	return limit, from
}

// cgroupMount is where a hierarchy is mounted, and which of its groups that shows as its root.
type cgroupMount struct{ at, root string }

// cgroupMounts finds where the hierarchy that memory is limited in is mounted; one mount may hide another:
//
//	35 31 0:32 /docker/4f2e /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory    (proc_pid_mountinfo(5))
func cgroupMounts(mounts, kind string) (found []cgroupMount) {
	for line := range strings.Lines(mounts) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		what, of := strings.Fields(left), strings.Fields(right)
		if ok && len(what) >= 5 && len(of) >= 3 && of[0] == kind && (kind == "cgroup2" || hasWord(of[2], "memory")) {
			found = append(found, cgroupMount{what[4], what[3]})
		}
	}
	return found
}

// hasWord reports whether a word is in a list with commas.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}
