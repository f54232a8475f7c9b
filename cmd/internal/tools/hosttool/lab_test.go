package hosttool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// redAndBlue is two hosts on br0. An @ stands for the test's own suffix: namespaces are names that the machine shares.
const redAndBlue = `
name: hosttool@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
x-uswitch: {uplink: none}
`

// testLab is a lab that this process has up, and a client of it.
type testLab struct {
	t      *testing.T
	suffix string
	client *api.Client
}

var labs atomic.Int64

// start brings a lab up and takes it down with the test.
func start(t *testing.T, file string) *testLab {
	t.Helper()
	l := &testLab{t: t, suffix: fmt.Sprintf("-%d-%d", os.Getpid(), labs.Add(1))}
	dir := t.TempDir()
	path := filepath.Join(dir, "lab.yaml")
	check(t, os.WriteFile(path, []byte(strings.ReplaceAll(file, "@", l.suffix)), 0o600))
	p, err := plan.Load(path, plan.LoadOptions{})
	check(t, err)
	host, err := tap.New(dir)
	check(t, err)
	t.Cleanup(func() { check(t, host.Close()) })
	w, err := world.New(p, world.Options{Host: host})
	check(t, err)
	check(t, w.Up(t.Context()))
	t.Cleanup(func() { check(t, w.Down()) })
	socket, err := server.Listen(dir, p.Name)
	check(t, err)
	server := server.New(socket, w, "test", os.Getpid(), func() {})
	server.Start()
	t.Cleanup(func() { check(t, server.Close()) })
	l.client = api.NewClient(api.Path(dir, p.Name), p.Name)
	return l
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ns returns the namespace of a host.
func (l *testLab) ns(host string) string { return host + l.suffix }

// answer is all that a program says.
type answer struct {
	out, errs string
	status    int
}

// tools are the commands by their programs' names.
var tools = map[string]func(hosttool.Tool, context.Context, []string) error{
	"ip": hosttool.Tool.IP, "bridge": hosttool.Tool.Bridge, "brctl": hosttool.Tool.Brctl, "route": hosttool.Tool.Route,
	"arp": hosttool.Tool.ARP, "ifconfig": hosttool.Tool.Ifconfig, "ss": hosttool.Tool.SS, "netstat": hosttool.Tool.Netstat,
}

// tool runs a command of this package.
func (l *testLab) tool(command string) (a answer) {
	l.t.Helper()
	var out strings.Builder
	words := strings.Fields(command)
	err := tools[words[0]](hosttool.Tool{Lab: l.client, Out: &out}, l.t.Context(), words[1:])
	var e *api.Error
	switch {
	case errors.As(err, &e):
		a.errs, a.status = e.Message+"\n", e.Status
	case err != nil:
		l.t.Errorf("%s: %v", command, err)
	}
	a.out = out.String()
	return a
}

// needs skips a test where labs cannot be made, or where a program is missing; in CI that is a failure.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		missing = err.Error()
	}
	for _, program := range append(programs, "ip", "ping") {
		if _, err := exec.LookPath(program); err != nil {
			missing = "the program " + program
		}
	}
	switch {
	case missing != "" && os.Getenv("CI") == "true":
		t.Fatal("needs " + missing)
	case missing != "":
		t.Skip("needs " + missing)
	}
}

// eventually waits for what nobody announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
