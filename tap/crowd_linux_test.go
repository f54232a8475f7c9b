package tap_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"uswitch/tap"
)

// TestCrowd makes namespaces with their files and a watched interface each, all of the same name and at the same time, and takes
// them away at the same time: each has what is its own, and nothing is left.
func TestCrowd(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	const count = 24
	type one struct {
		ns     tap.Namespace
		device tap.Device
	}
	all := make([]one, count)
	atOnce := func(what string, do func(i int, o *one) error) {
		t.Helper()
		var wait sync.WaitGroup
		for i := range all {
			wait.Go(func() {
				if err := do(i, &all[i]); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		wait.Wait()
	}
	defer atOnce("take away", func(_ int, o *one) error { return host.Release(o.ns) })
	atOnce("make", func(i int, o *one) (err error) {
		if o.ns, err = host.Create("lab", unique()); err != nil {
			return err
		}
		if err := host.Files("lab", o.ns, map[string][]byte{"hosts": fmt.Appendf(nil, "10.64.0.%d me\n", i+1)}); err != nil {
			return err
		}
		cfg := quietly(fmt.Sprintf("10.64.0.%d/16", i+1))
		cfg.DisableIPv6 = true
		if o.device, err = host.Open(o.ns, cfg); err != nil {
			return err
		}
		_, err = o.device.Watch(func(tap.State) {})
		return err
	})
	if t.Failed() {
		return
	}
	inodes := map[uint64]bool{}
	for i, o := range all {
		state, err := o.device.State()
		if err != nil || state.Namespace != o.ns.ID.Inode || !state.Up {
			t.Errorf("interface %d: %+v, %v; its namespace is %v", i, state, err, o.ns.ID)
		}
		inodes[state.Namespace] = true
		text := run(t, host, o.ns, "ip -br addr show eth0; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6; cat /etc/hosts")
		if want := fmt.Sprintf("10.64.0.%d", i+1); strings.Count(text, want) != 2 || !strings.Contains(text, "\n1\n") {
			t.Errorf("in namespace %d: %q, want %s twice, and no IPv6", i, text, want)
		}
	}
	if len(inodes) != count {
		t.Errorf("%d namespaces, want %d", len(inodes), count)
	}
	atOnce("take away", func(_ int, o *one) error {
		if err := o.device.Close(); err != nil {
			return err
		}
		return host.Release(o.ns)
	})
	for _, o := range all {
		if exists(o.ns.Name) {
			t.Errorf("namespace %s is left", o.ns.Name)
		}
		if _, err := os.Lstat(etc(o.ns)); err == nil {
			t.Errorf("%s is left", etc(o.ns))
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left in the directory of records: %v", left)
	}
}
