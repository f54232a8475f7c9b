package server

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestNoMomentOfAnotherMode: the socket has its mode as soon as it has its path.
func TestNoMomentOfAnotherMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.sock")
	l, err := (&net.ListenConfig{Control: closed}).Listen(context.Background(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v before any chmod, want -rw-------: %v", info.Mode().Perm(), err)
	}
}
