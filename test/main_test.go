package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The tests of this package that need a lab run the program that people run, in real namespaces. Their names begin with
// the row of the requirements (A, S, G), of the fault catalogue (F) or of the walkthroughs (W) that they hold to.

// uswitch is the path of the program under test: the one that people run, or with USWITCH_RACE=on one that looks for races
// as well, which takes three times as long (make test-race).
var uswitch string

// linksBefore are the links of this machine before any test; no test, and no lab, may change them.
var linksBefore string

func TestMain(m *testing.M) {
	flag.Parse()
	if !set("test.parallel") {
		_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.NumCPU())) // labs mostly wait for each other's packets
	}
	if os.Getenv(echoVariable) != "" || os.Getenv(deniedVariable) != "" {
		os.Exit(m.Run()) // the child of a test: it needs no program, and would leave it behind when it is killed
	}
	if uswitch = os.Getenv(userVariable); uswitch != "" && uswitch != "on" {
		leaveOut()
		linksBefore = links()
		os.Exit(m.Run())
	}
	os.Exit(buildAndRun(m))
}

func set(name string) (found bool) {
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// programVariable names a uswitch that is built already.
const programVariable = "USWITCH_PROGRAM"

func buildAndRun(m *testing.M) int {
	if uswitch = os.Getenv(programVariable); uswitch != "" {
		linksBefore = links()
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "uswitch-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		uswitch = filepath.Join(dir, "uswitch")
		err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if os.Getenv(userVariable) == "on" {
		return again()
	}
	linksBefore = links()
	return m.Run()
}

func build() error {
	args, c := []string{"build", "-o", uswitch}, "CGO_ENABLED=0" // as make build has it
	if os.Getenv("USWITCH_RACE") == "on" {
		args, c = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "uswitch/cmd/uswitch")...)
	cmd.Env = append(cmd.Environ(), c)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// links lists the links of the machine's own namespace.
func links() string {
	out, _ := exec.Command("ip", "-o", "link").Output()
	var names []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) > 1 {
			names = append(names, fields[1])
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// needs skips a test where labs cannot be made, or where a program is missing; in CI that is a failure.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "root")
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		skip(t, err.Error())
	}
	for _, program := range append(programs, "ip", "ping", "curl") {
		if _, err := exec.LookPath(program); err != nil {
			skip(t, "the program "+program)
		}
	}
}

func skip(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("needs " + missing)
	}
	t.Skip("needs " + missing)
}
