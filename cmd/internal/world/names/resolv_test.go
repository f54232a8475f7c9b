package names_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/world/names"
)

func TestParseResolv(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"usual":     {"# me\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch a.example b.example\noptions edns0 ndots:2\n", "[10.0.0.1 10.0.0.2] [a.example b.example] [edns0 ndots:2]"},
		"CRLF":      {"nameserver 10.0.0.1\r\nsearch a\r\n", "[10.0.0.1] [a] []"},
		"no end":    {"nameserver\t10.0.0.1", "[10.0.0.1] [] []"},
		"empty":     {"", "[] [] []"},
		"garbage":   {"nameserver\nnameserver x\n\x00\xff nameserver\nnameserver 10.0.0.1 junk\n; x\n", "[10.0.0.1] [] []"},
		"too many":  {"nameserver 1.1.1.1\nnameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n", "[1.1.1.1 2.2.2.2 3.3.3.3] [] []"},
		"IPv6":      {"nameserver fe80::1%eth0\nnameserver ::1\n", "[fe80::1%eth0 ::1] [] []"},
		"last":      {"domain a\nsearch b c\n", "[] [b c] []"},
		"long line": {"nameserver 1.1.1.1\n#" + strings.Repeat("x", 1<<17) + "\nnameserver 2.2.2.2\n", "[1.1.1.1] [] []"},
	} {
		r := names.ParseResolv(strings.NewReader(c.text))
		if got := fmt.Sprint(r.Servers, r.Search, r.Options); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestResolvFormat(t *testing.T) {
	text := "nameserver 10.0.0.1\nsearch a b\noptions ndots:0\n"
	if got := string(names.ParseResolv(strings.NewReader(text)).Format("# one\n")); got != "# one\n"+text {
		t.Errorf("%q", got)
	}
}

func TestFileIsFollowed(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	now := time.Unix(1000, 0)
	f := names.NewFile(func() time.Time { return now }, first, second)
	write := func(path, text string) {
		t.Helper()
		temporary := path + ".new"
		if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temporary, path); err != nil { // as those do who keep a resolv.conf
			t.Fatal(err)
		}
	}
	want := func(servers string) {
		t.Helper()
		c, err := f.Read()
		if got := fmt.Sprint(c.Servers); got != servers && !(servers == "error" && err != nil) {
			t.Errorf("%s, %v, want %s", got, err, servers)
		}
	}
	want("error")
	write(second, "nameserver 2.2.2.2\n")
	want("error") // it was looked at just now
	now = now.Add(time.Second)
	want("[2.2.2.2]")
	write(first, "nameserver 1.1.1.1\n")
	now = now.Add(time.Second)
	want("[1.1.1.1]")
	write(first, "nameserver 1.1.1.9\n")
	want("[1.1.1.1]")
	now = now.Add(time.Second)
	want("[1.1.1.9]")
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	want("[2.2.2.2]")
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(second, 0o755); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	want("error")
}
