package tap_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"uswitch/tap"
)

// newHost returns a Host with records of its own, or skips the test for want of what it needs.
func newHost(t testing.TB) tap.Host {
	t.Helper()
	host, _ := newHostIn(t, t.TempDir())
	return host
}

func newHostIn(t testing.TB, dir string) (tap.Host, string) {
	t.Helper()
	host, err := tap.New(dir)
	if err == nil {
		err = host.Check()
	}
	if err != nil {
		skip(t, err.Error())
	}
	t.Cleanup(func() { host.Close() })
	return host, dir
}

// skip skips a test that cannot be run here, which in CI is a failure.
func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// needs returns the path of a program, or skips the test.
func needs(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		skip(t, program+" is not installed")
	}
	return path
}

var names atomic.Uint32

// unique returns a namespace's name that no other test uses, in this process or another.
func unique() string { return fmt.Sprintf("tap%d-%d", os.Getpid(), names.Add(1)) }

// create makes a namespace for the length of a test.
func create(t testing.TB, host tap.Host) tap.Namespace {
	t.Helper()
	ns, err := host.Create("lab", unique())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Release(ns); err != nil {
			t.Error(err)
		}
	})
	return ns
}

// open puts an interface into a namespace for the length of a test.
func open(t testing.TB, host tap.Host, ns tap.Namespace, cfg tap.Interface) tap.Device {
	t.Helper()
	device, err := host.Open(ns, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { device.Close() })
	return device
}

// quietly is an interface that says nothing by itself, so that a test sees its own frames only.
func quietly(addresses ...string) tap.Interface {
	cfg := tap.Interface{Name: "eth0", DisableIPv6: true}
	for _, address := range addresses {
		cfg.Addresses = append(cfg.Addresses, netip.MustParsePrefix(address))
	}
	return cfg
}

// ip runs iproute2's ip and returns what it prints.
func ip(t testing.TB, args ...string) string {
	t.Helper()
	output, err := exec.Command(needs(t, "ip"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

func pidOf(cmd *exec.Cmd) string { return strconv.Itoa(cmd.Process.Pid) }
