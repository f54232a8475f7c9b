package world

import (
	"os"
	"testing"

	"uswitch/nat/conntrack"
)

func TestCgroupLimit(t *testing.T) {
	const (
		v1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		from  string
	}{
		"no control groups": {nil, 0, ""},
		"version 2": {map[string]string{"/proc/self/cgroup": "0::/a/b\n", "/proc/self/mountinfo": v2,
			"/sys/fs/cgroup/a/b/memory.max": "134217728\n", "/sys/fs/cgroup/a/memory.max": "max\n"}, 128 << 20, "/sys/fs/cgroup/a/b/memory.max"},
		"the parent is stricter": {map[string]string{"/proc/self/cgroup": "0::/a/b\n", "/proc/self/mountinfo": v2,
			"/sys/fs/cgroup/a/b/memory.max": "134217728\n", "/sys/fs/cgroup/a/memory.max": "67108864\n"}, 64 << 20, "/sys/fs/cgroup/a/memory.max"},
		"a container with a namespace of its own": {map[string]string{"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": v2,
			"/sys/fs/cgroup/memory.max": "67108864\n"}, 64 << 20, "/sys/fs/cgroup/memory.max"},
		"no limit": {map[string]string{"/proc/self/cgroup": "0::/a\n", "/proc/self/mountinfo": v2, "/sys/fs/cgroup/a/memory.max": "max\n"}, 0, ""},
		"version 1": {map[string]string{"/proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/a\n0::/\n", "/proc/self/mountinfo": v1,
			"/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "134217728\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
			128 << 20, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"},
		"version 1 in a container": {map[string]string{"/proc/self/cgroup": "4:memory:/docker/4f\n",
			"/proc/self/mountinfo":                        "35 31 0:32 /docker/4f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, 1 << 30, "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
		"version 1, no limit": {map[string]string{"/proc/self/cgroup": "4:memory:/\n", "/proc/self/mountinfo": v1,
			"/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0, ""},
	} {
		limit, from := cgroupLimit(func(name string) ([]byte, error) {
			if s, ok := c.files[name]; ok {
				return []byte(s), nil
			}
			return nil, os.ErrNotExist
		})
		if limit != c.want || from != c.from {
			t.Errorf("%s: %d by %q, want %d by %q", name, limit, from, c.want, c.from)
		}
	}
}

func TestTablesFitTheMemory(t *testing.T) {
	roomyTables := within(0, "")
	if m := within(8<<30, "x"); m.Conns != roomyTables.Conns || m.Fragments != roomyTables.Fragments || m.Learned != roomyTables.Learned {
		t.Errorf("with 8 GiB the tables are %+v, want %+v", m, roomyTables)
	}
	for _, limit := range []int64{32 << 20, 64 << 20, 128 << 20, 256 << 20} {
		m := within(limit, "x")
		if used := int64(m.Conns)*conntrack.ConnBytes + int64(m.Fragments) + int64(m.Learned)*100; used > limit/4 {
			t.Errorf("with %d MiB full tables take %d MiB", limit>>20, used>>20)
		}
		if l := m.limits(); int64(l.Sockets)*socketBytes > limit || l.Dials > l.Sockets || l.Flows > l.Sockets {
			t.Errorf("with %d MiB: %+v", limit>>20, l)
		}
	}
}
