package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"uswitch/cmd/internal/teach/state"
)

func TestDir(t *testing.T) {
	for _, c := range []struct{ xdg, home, want string }{
		{"/x", "/home/a", "/x/uswitch"},
		{"", "/home/a", "/home/a/.local/state/uswitch"},
		{"relative", "/home/a", "/home/a/.local/state/uswitch"},
		{"", "", ""},
	} {
		env := map[string]string{"XDG_STATE_HOME": c.xdg, "HOME": c.home}
		got, err := state.Dir(func(key string) string { return env[key] })
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%v: %q, %v; want %q", env, got, err, c.want)
		}
	}
}

// TestWrite replaces a file: it is this user's alone, whatever it was, and nothing else is left beside it.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for _, text := range []string{"one", "two"} {
		if err := state.Write(dir, "f", []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		if err != nil || string(got) != text {
			t.Errorf("%q, %v; want %q", got, err, text)
		}
		if err := os.Chmod(filepath.Join(dir, "f"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := state.Write(dir, "f", nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "f"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("%v", all)
	}
}
