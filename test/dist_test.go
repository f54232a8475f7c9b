//go:build dist

package test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDist makes everything that is given away, twice: the same bytes. The package installs in a root of its own, the
// program runs there, and nothing remains when it is removed.
func TestDist(t *testing.T) {
	first, second := dist(t), dist(t)
	if len(first) < 11 { // seven binaries, four packages, the checksums
		t.Errorf("only %d files: %v", len(first), first)
	}
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s is not the same twice", name)
		}
	}
	printed(t, "sh", "-c", "cd ../out/dist && sha256sum --quiet -c SHA256SUMS")
	if out := printed(t, "sh", "-c", "file ../out/dist/*-linux-*"); strings.Contains(out, "dynamically") || strings.Contains(out, "not stripped") {
		t.Errorf("a binary is not static and stripped:\n%s", out)
	}

	deb, err := filepath.Abs(only(t, "../out/dist/*_amd64.deb"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, name := range []string{"info", "updates"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	printed(t, "dpkg", "--root="+root, "-i", deb)
	if out := printed(t, "chroot", root, "/usr/bin/uswitch", "run", "--sim", "red-blue"); !strings.Contains(out, "RED: ended with status 0") {
		t.Errorf("run --sim red-blue:\n%s", out)
	}
	printed(t, "dpkg", "--root="+root, "-r", "uswitch")
	if out := printed(t, "find", root, "-path", root+"/var/lib/dpkg", "-prune", "-o", "-type", "f", "-print"); strings.TrimSpace(out) != "" {
		t.Errorf("the package leaves behind:\n%s", out)
	}
}

// TestModule: under another module path, as a repository with an address would have it, the sources build.
func TestModule(t *testing.T) {
	makes(t, "module", "MODULE=example.net/somebody/uswitch")
	cmd := exec.Command("go", "list", "./cmd/uswitch")
	cmd.Dir = "../out/module"
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "example.net/somebody/uswitch/cmd/uswitch" {
		t.Errorf("%v: %s", err, out)
	}
}

// dist makes out/dist anew and returns the checksum of each file in it.
func dist(t *testing.T) map[string]string {
	t.Helper()
	makes(t, "dist")
	files, err := filepath.Glob("../out/dist/*")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sums[filepath.Base(file)] = fmt.Sprintf("%x", sha256.Sum256(b))
	}
	return sums
}

func only(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	return files[0]
}
