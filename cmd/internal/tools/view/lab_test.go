package view_test

import (
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

func TestLabSaysWhatItsMemoryAllows(t *testing.T) {
	for _, c := range []struct {
		memory api.Memory
		want   string
	}{
		{api.Memory{MaxConns: 65536, MaxFragments: 4 << 20, MaxLearned: 65536, MaxSockets: 1000}, `
memory       no limit: every table is as large as it is anywhere
connections  0 of 65536, 0 had to make room for others
bounds       4096 KiB of fragments, 65536 learned addresses a network, 1000 sockets of the uplink
`},
		{api.Memory{Limit: 128 << 20, From: "/sys/fs/cgroup/memory.max", Heap: 93952409, Conns: 7, MaxConns: 16384, Evicted: 3,
			MaxFragments: 1 << 20, MaxLearned: 16384, MaxSockets: 1024}, `
memory       128 MiB, says /sys/fs/cgroup/memory.max; the tables are made to fit, and GOMEMLIMIT is 89 MiB
connections  7 of 16384, 3 had to make room for others
bounds       1024 KiB of fragments, 16384 learned addresses a network, 1024 sockets of the uplink
`},
	} {
		var b strings.Builder
		if err := view.Lab(&b, api.Lab{Name: "w", Memory: c.memory}); err != nil || !strings.HasSuffix(b.String(), c.want) {
			t.Errorf("%v:\n%swant at the end:%s", err, b.String(), c.want)
		}
	}
}

func TestWhatHasNoAddress(t *testing.T) {
	var b strings.Builder
	err := view.Hosts(&b, []api.Host{{Name: "RED", Interfaces: []api.Interface{{Name: "reth0", Network: "br0"}}}})
	if err == nil {
		err = view.Networks(&b, []api.Network{{Name: "br0"}})
	}
	if err != nil || strings.Contains(b.String(), "invalid") {
		t.Errorf("%v\n%s", err, &b)
	}
}
