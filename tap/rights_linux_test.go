package tap_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uswitch/tap"
)

// TestRights: what is taken from a program is gone, also where it tries to get it back.
func TestRights(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "before")
	bits := func(numbers ...int) *uint64 {
		var set uint64
		for _, n := range numbers {
			set |= 1 << n
		}
		return &set
	}
	for _, test := range []struct {
		name   string
		rights tap.Rights
		script string
		want   string
	}{
		{"all", tap.Rights{}, "id -u; echo after > " + file + " && cat " + file, "0\nafter\n"},
		{"user", tap.Rights{User: &tap.User{UID: 4711, GID: 815, Groups: []uint32{33, 44}}},
			"id -u; id -g; id -G; grep CapEff /proc/self/status", "4711\n815\n815 33 44\nCapEff:\t0000000000000000\n"},
		{"capabilities", tap.Rights{Capabilities: bits(unix.CAP_KILL, unix.CAP_NET_BIND_SERVICE)},
			"grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | tr -d '\\t'",
			"CapInh:0000000000000000\nCapPrm:0000000000000420\nCapEff:0000000000000420\nCapBnd:0000000000000420\nCapAmb:0000000000000000\n"},
		{"no new privileges", tap.Rights{NoNewPrivileges: true}, "grep NoNewPrivs /proc/self/status | tr -d '\\t'", "NoNewPrivs:1\n"},
		{"read-only", tap.Rights{ReadOnly: true, Capabilities: bits(unix.CAP_DAC_OVERRIDE, unix.CAP_CHOWN)},
			"for f in " + file + " /tmp/x /run/x /etc/x /var/tmp/x; do echo x 2>/dev/null > $f && echo wrote $f; done; mount -o remount,rw / 2>/dev/null && echo remounted; " +
				"ls /proc/1/root/ >/dev/null 2>&1 && echo by way of init; echo x > /dev/null && echo null; true", "null\n"},
		{"limits", tap.Rights{Limits: []tap.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 77, Hard: 88}, {Resource: unix.RLIMIT_CORE, Soft: 0, Hard: 0}}},
			"ulimit -n; ulimit -Hn; ulimit -c", "77\n88\n0\n"},
		{"a user with limits", tap.Rights{User: &tap.User{UID: 4711}, Limits: []tap.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 77, Hard: 88}}},
			"id -u; ulimit -Hn; ulimit -Hn 99 2>/dev/null; ulimit -Hn", "4711\n88\n88\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := exec.Command("sh", "-c", test.script)
			cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, "/"
			process, err := host.StartAs(ns, cmd, test.rights)
			if err != nil && test.rights.User != nil && strings.HasSuffix(err.Error(), "this process has no CAP_SYS_RESOURCE") {
				return // as it says: here nobody may
			}
			if err != nil {
				t.Fatal(err)
			}
			if status := process.Wait(); status != 0 || out.String() != test.want {
				t.Errorf("status %d:\n%swant\n%s", status, &out, test.want)
			}
		})
	}
	if text, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(text)) != "after" {
		t.Errorf("%q, %v", text, err)
	}
	// What is taken from one is taken from nobody else.
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", "id -u; echo again > "+file)
	cmd.Stdout, cmd.Stderr = &out, &out
	if process, err := host.Start(ns, cmd); err != nil || process.Wait() != 0 || out.String() != "0\n" {
		t.Errorf("%v, %s", err, &out)
	}
}

// TestRightsFail: a program that cannot be started as it is to be does not run.
func TestRightsFail(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	_, err := host.StartAs(ns, exec.Command("true"), tap.Rights{Limits: []tap.Limit{{Resource: 99}}})
	if err == nil || !strings.Contains(err.Error(), "limits: ") {
		t.Errorf("%v", err)
	}
}
