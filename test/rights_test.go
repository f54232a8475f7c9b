package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDockerRights: what a container must not do, it cannot; what nobody acts on is told of.
func TestDockerRights(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, "name: lab@\nservices: {}\nx-uswitch: {docker0: true, uplink: none}\n")
	l.upInBackground()
	file := filepath.Join(t.TempDir(), "file")
	for _, test := range []struct {
		args string
		want string
	}{
		{"--user 4711:12 alpine id", "uid=4711 gid=12"},
		{"--cap-drop NET_RAW alpine grep CapEff /proc/self/status", "00000000a80405fb"},
		{"--cap-drop ALL --cap-add NET_ADMIN alpine grep CapEff /proc/self/status", "0000000000001000"},
		{"--security-opt no-new-privileges alpine grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"},
		{"--read-only alpine touch " + file, "Read-only file system"},
		{"--ulimit nofile=64:128 alpine sh -c ulimit\\ -n;ulimit\\ -Hn", "64\n128\n"},
		{"-w /usr alpine pwd", "/usr\n"},
		{"-e A=b alpine env", "A=b\n"},
		{"--security-opt seccomp=x --memory 7m alpine true", `SecurityOpt "seccomp=x" is not acted on`},
		{"--memory 7m alpine true", "not acted on: --memory"},
	} {
		args := append([]string{"docker", "run", "--rm", "--network", "none"}, words(test.args)...)
		if out, _ := l.uswitch(args...).CombinedOutput(); !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %s", test.args, out)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a container that must not has written a file")
	}
	l.do("docker", "run", "-d", "--name", "bound"+l.suffix, "--network", "none", "--user", "4711:12", "-e", "A=b", "alpine", "sleep", "300")
	for args, want := range map[string]string{"id": "uid=4711 gid=12", "env": "A=b\n"} {
		if out := l.do("docker", "exec", "bound"+l.suffix, args); !strings.Contains(out, want) {
			t.Errorf("exec %s: %s", args, out)
		}
	}
	if out := l.do("docker", "exec", "-u", "0", "-e", "C=d", "-w", "/usr", "bound"+l.suffix, "sh", "-c", "id -u; echo $C; pwd"); out != "0\nd\n/usr\n" {
		t.Errorf("exec: %q", out)
	}
}

// words splits at blanks, but not at those behind a backslash.
func words(line string) (all []string) {
	for _, word := range strings.Fields(strings.ReplaceAll(line, `\ `, "\x00")) {
		all = append(all, strings.ReplaceAll(word, "\x00", " "))
	}
	return all
}

// TestHostsInheritNothing: a host's program finds in its environment what the file says and where it is, and no descriptor of
// who has started the lab; what a person runs there keeps theirs.
func TestHostsInheritNothing(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, `name: lab@
services:
  RED@:
    command: [sh, -c, 'env; ls -l /proc/self/fd; echo done; exec sleep 1000']
    environment: {SAID: so}
    user: "4711"
x-uswitch: {uplink: none}
`)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	open, err := os.Open(secret)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	cmd := l.uswitch("up", "-d", l.file)
	cmd.Env = append(cmd.Environ(), "S3CRET=x")
	cmd.ExtraFiles = []*os.File{open, open}
	t.Cleanup(func() { l.try("down", l.name) })
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var logs string
	eventually(t, "RED has said it", func() bool {
		logs = l.do("logs", l.ns("RED"))
		return strings.Contains(logs, "done")
	})
	for _, want := range []string{"SAID=so", "PATH=" + os.Getenv("PATH"), "HOME=/", "HOSTNAME=", "USWITCH_LAB=" + l.name, "USWITCH_HOST=" + l.ns("RED")} {
		if !strings.Contains(logs, want) {
			t.Errorf("no %s in\n%s", want, logs)
		}
	}
	for _, never := range []string{"S3CRET", secret} {
		if strings.Contains(logs, never) {
			t.Errorf("%s in\n%s", never, logs)
		}
	}
	mine := l.uswitch("exec", l.ns("RED"), "env")
	mine.Env = append(mine.Environ(), "S3CRET=mine")
	if out, err := mine.Output(); err != nil || !strings.Contains(string(out), "S3CRET=mine") || !strings.Contains(string(out), "SAID=so") {
		t.Errorf("%v: %s", err, out)
	}
	l.do("down", l.name)
	run := exec.Command(uswitch, "run", "--sim", "--trace", "off", l.file, "--", "readlink", "/proc/self/fd/3")
	run.ExtraFiles = []*os.File{open}
	if out, err := run.Output(); err != nil || !strings.Contains(string(out), secret+"\n") {
		t.Errorf("what a person runs beside the lab lost a descriptor: %v: %s", err, out)
	}
}
