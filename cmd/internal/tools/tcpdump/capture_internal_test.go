package tcpdump

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCreate: -w writes where a capture may: into no file that exists, through no link, and into no FIFO that nobody reads.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("notes"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("notes"), at("link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"notes": "exists; --force overwrites it", "link": "symbolic link", "fifo": "nobody reads this FIFO"} {
		for _, force := range []bool{false, true} {
			if f, err := create(at(name), force, io.Discard); (name != "notes" || !force) && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, force %v: %v, want %s", name, force, err, want)
			} else if err == nil {
				f.Close()
			}
		}
	}
	if left, err := os.ReadFile(at("notes")); err != nil || len(left) != 0 {
		t.Errorf("with force: %q %v, want an empty file", left, err)
	}
	f, err := create(at("new"), false, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
