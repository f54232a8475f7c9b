package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The rules of the repository, so that nobody has to remember them.

// topLevel is all that may stand beside the dotfiles.
var topLevel = []string{"Makefile", "README.md", "arp", "cmd", "go.mod", "go.sum", "nat", "sim", "switch", "tap", "test"}

func TestTheTopLevelIsFixed(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.Lines(string(out)) {
		top, _, _ := strings.Cut(strings.TrimSpace(file), "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(topLevel, top) {
			t.Errorf("%s: %s is not one of %v", strings.TrimSpace(file), top, topLevel)
		}
	}
}

// allowed says whom of us a package may import, and which foreign modules it may know besides the standard library. What
// is not listed may import nothing. A name ending in /... stands for everything below.
var allowed = map[string]struct{ ours, others []string }{
	"switch/frame":      {},
	"switch/ipam":       {},
	"nat/route":         {},
	"switch/trace":      {ours: []string{"switch/frame"}},
	"switch/trace/pcap": {ours: []string{"switch/trace", "switch/frame"}, others: []string{"github.com/google/gopacket/...", "golang.org/x/sys/unix"}},
	"switch":            {ours: []string{"switch/frame", "switch/trace"}},
	"arp":               {ours: []string{"switch/frame"}},
	"nat/rule":          {ours: []string{"switch/frame", "switch/trace"}},
	"nat/conntrack":     {ours: []string{"switch/frame"}},
	"nat":               {ours: []string{"switch/frame", "switch/trace", "arp", "nat/route", "nat/rule", "nat/conntrack"}},
	"nat/uplink": {ours: []string{"nat", "switch/frame", "switch/trace"},
		others: []string{"gvisor.dev/gvisor/...", "golang.org/x/sys/unix", "golang.org/x/net/..."}},
	"nat/station": {ours: []string{"nat", "switch/frame", "switch/trace"}, others: []string{"gvisor.dev/gvisor/..."}}, // TCP of the gateway's own programs
	"tap": {ours: []string{"switch/frame"}, others: []string{"github.com/songgao/water", "github.com/vishvananda/netlink/...",
		"github.com/vishvananda/netns", "golang.org/x/sys/unix"}},
	"sim": {ours: []string{"switch", "switch/frame", "switch/trace", "arp", "nat", "nat/route", "nat/rule"},
		others: []string{"gvisor.dev/gvisor/...", "golang.org/x/net/...", "golang.org/x/tools/txtar"}},
}

// onlyIn says which packages may know a module that the house keeps in one place.
var onlyIn = map[string][]string{
	"gvisor.dev/gvisor":              {"nat/uplink", "nat/station", "sim"},
	"github.com/songgao/water":       {"tap"},
	"github.com/vishvananda/netlink": {"tap"},
	"github.com/vishvananda/netns":   {"tap"},
	"log":                            {}, // what happens to packets has reasons, not lines of a log
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		rule, bound := allowed[p.name]
		if !bound && !matches([]string{"cmd/...", "test/..."}, p.name) {
			t.Errorf("%s is a package that the house does not know; give it a place in this table", p.name)
			continue
		}
		for _, path := range p.Imports {
			ours, isOurs := strings.CutPrefix(path, "uswitch/")
			switch {
			case !bound || !isOurs && isStandard(path):
			case isOurs && !matches(rule.ours, ours), !isOurs && !matches(rule.others, path):
				t.Errorf("%s imports %s", p.name, path)
			}
			for module, places := range onlyIn {
				if (path == module || strings.HasPrefix(path, module+"/")) && !slices.Contains(places, p.name) {
					t.Errorf("%s imports %s, which belongs in %v", p.name, path, places)
				}
			}
		}
		if len(p.CgoFiles) > 0 && !strings.HasPrefix(p.name, "test") {
			t.Errorf("%s uses cgo: %v", p.name, p.CgoFiles)
		}
	}
}

func TestEveryPackageIsIntroduced(t *testing.T) {
	for _, p := range packages(t) {
		var docs []string
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" {
				docs = append(docs, file)
			}
		}
		if len(p.GoFiles) > 0 && len(docs) != 1 {
			t.Errorf("%s: want one package comment, found %d: %v", p.name, len(docs), docs)
		}
	}
}

// TestNobodysMachine: no path of a machine, and nothing unfinished, stands in the tree.
func TestNobodysMachine(t *testing.T) {
	words := []string{"/" + "work/", "TO" + "DO", "FIX" + "ME", "X" + "XX"}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "out"):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".md", ".yaml", ".txtar", ""}, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, word := range words {
			if i := bytes.Index(text, []byte(word)); i >= 0 {
				t.Errorf("%s:%d: %s", path, 1+bytes.Count(text[:i], []byte("\n")), word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listed is what `go list -json` says of a package.
type listed struct {
	name       string // below the module
	ImportPath string
	Dir        string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
}

func packages(t *testing.T) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.name = strings.TrimPrefix(p.ImportPath, "uswitch/")
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func matches(patterns []string, path string) bool {
	for _, p := range patterns {
		if base, below := strings.CutSuffix(p, "/..."); p == path || below && (path == base || strings.HasPrefix(path, base+"/")) {
			return true
		}
	}
	return false
}
