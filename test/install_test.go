package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstall: make install puts a program, its pages and its completions where a package puts them; they are those of the
// commands that there are, and the program works from there.
func TestInstall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	makes(t, "install", "DESTDIR="+dir, "PREFIX=/usr", "VERSION=v1.2.3", "COMMIT=0123456789ab")
	installed := filepath.Join(dir, "usr/bin/uswitch")

	if out := printed(t, installed, "version"); !strings.HasPrefix(out, "uswitch v1.2.3 commit 0123456789ab go") {
		t.Errorf("version: %q", out)
	}
	if out := printed(t, installed, "run", "--sim", "red-blue"); !strings.Contains(out, "RED: ended with status 0") {
		t.Errorf("run --sim red-blue:\n%s", out)
	}
	if out := printed(t, installed, "-h"); strings.Contains(out, "manual") {
		t.Error("the installed program has the command that writes its pages")
	}
	for _, name := range []string{"uswitch", "uswitch-run", "uswitch-docker-network-create", "uswitch-bridge"} {
		page, err := os.ReadFile(filepath.Join(dir, "usr/share/man/man1", name+".1"))
		if err != nil || !strings.Contains(string(page), ".SH NAME") {
			t.Errorf("%s.1: %v", name, err)
		}
	}
	run, err := os.ReadFile(filepath.Join(dir, "usr/share/man/man1/uswitch-run.1"))
	if err != nil || !strings.Contains(string(run), "\n  red-blue ") {
		t.Errorf("uswitch-run.1 does not keep its table of labs as it is written: %v", err)
	}
	completion := filepath.Join(dir, "usr/share/bash-completion/completions/uswitch")
	if out, err := exec.Command("bash", "-n", completion).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", completion, err, out)
	}
	for _, name := range []string{"zsh/site-functions/_uswitch", "fish/vendor_completions.d/uswitch.fish"} {
		if info, err := os.Stat(filepath.Join(dir, "usr/share", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// makes runs make in the repository, with an out/ of the repository's own.
func makes(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-s", "-C", ".."}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// printed runs a program that is to succeed, and returns what it says.
func printed(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
