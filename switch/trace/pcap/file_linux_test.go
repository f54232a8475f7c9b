package pcap_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"uswitch/switch/trace/pcap"
)

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(at("old"), []byte("old"), 0o644))
	must(os.WriteFile(at("linked"), []byte("linked"), 0o644))
	must(os.Link(at("linked"), at("other-name")))
	must(os.Symlink(at("old"), at("link")))
	must(os.Symlink(at("nowhere"), at("dangling")))
	must(os.Mkdir(at("dir"), 0o755))
	must(syscall.Mkfifo(at("fifo"), 0o600))
	must(syscall.Mkfifo(at("read-fifo"), 0o600))
	reader, err := os.OpenFile(at("read-fifo"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	must(err)
	defer reader.Close()

	for _, tt := range []struct {
		name  string
		path  string
		force bool
		want  string // part of the error
	}{
		{"a new file", at("new"), false, ""},
		{"an existing file", at("old"), false, "exists; --force overwrites it"},
		{"a link to a file", at("link"), true, "is a symbolic link"},
		{"a link to nothing", at("dangling"), false, "is a symbolic link"},
		{"a link to nothing, forced", at("dangling"), true, "is a symbolic link"},
		{"a file with two names", at("linked"), true, "has a second name"},
		{"a directory", at("dir"), true, "is a directory"},
		{"a device", "/dev/full", true, "is a device"},
		{"a FIFO that nobody reads", at("fifo"), false, "nobody reads this FIFO"},
		{"a FIFO that somebody reads", at("read-fifo"), false, ""},
		{"a directory that is not there", at("none/x"), false, "no such file or directory"},
		{"an existing file, forced", at("old"), true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := pcap.Create(tt.path, tt.force)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("error %v, want %q and the path", err, tt.want)
			}
		})
	}
	for name, size := range map[string]int64{"new": 0, "old": 0, "linked": 6} {
		info, err := os.Lstat(at(name))
		must(err)
		if info.Size() != size || name != "linked" && info.Mode() != 0o600 {
			t.Errorf("%s: %v, %d bytes", name, info.Mode(), info.Size())
		}
	}
	if _, err := os.Lstat(at("nowhere")); err == nil {
		t.Error("a dangling link was followed")
	}
}

// TestFullDisk is a capture onto a file system of 64 KiB.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mounting a tmpfs: %v", err)
		}
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "all.pcapng")
	f, err := pcap.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := pcap.New(f, pcap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := journey()[0]
	e.Frame.Data = bytes.Repeat(e.Frame.Data, 20)
	e.Length = len(e.Frame.Data)
	written := 0
	for err == nil && written < 1000 {
		if err = w.Event(&e); err == nil {
			written++
		}
	}
	if !errors.Is(err, pcap.ErrFull) || !strings.Contains(err.Error(), path) {
		t.Fatalf("after %d packets: %v, want ErrFull", written, err)
	}
	capture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := read(t, capture, nil); n != written {
		t.Errorf("%d packets in the file, %d were written", n, written)
	}
}
