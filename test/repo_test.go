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
	"switch/vxlan":      {ours: []string{"switch/frame", "switch/trace"}},
	"switch":            {ours: []string{"switch/frame", "switch/trace"}},
	"arp":               {ours: []string{"switch/frame"}},
	"arp/nd":            {ours: []string{"arp", "switch/frame"}},
	"nat/rule":          {ours: []string{"switch/frame", "switch/trace"}},
	"nat/conntrack":     {ours: []string{"switch/frame"}},
	"nat":               {ours: []string{"switch/frame", "switch/trace", "arp", "arp/nd", "nat/route", "nat/rule", "nat/conntrack"}},
	"nat/netstack":      {ours: []string{"switch/frame"}, others: []string{"gvisor.dev/gvisor/..."}},
	"nat/uplink": {ours: []string{"nat", "nat/netstack", "switch/frame", "switch/trace"},
		others: []string{"gvisor.dev/gvisor/...", "golang.org/x/sys/unix"}},
	"nat/station": {ours: []string{"nat", "nat/netstack", "switch/frame", "switch/trace"}, others: []string{"gvisor.dev/gvisor/..."}}, // TCP of the gateway's own programs
	"tap": {ours: []string{"switch/frame"}, others: []string{"github.com/songgao/water", "github.com/vishvananda/netlink/...",
		"github.com/vishvananda/netns", "golang.org/x/sys/unix"}},
	"sim": {ours: []string{"switch", "switch/vxlan", "switch/frame", "switch/trace", "arp", "arp/nd", "nat", "nat/route", "nat/rule", "tap"},
		others: []string{"github.com/miekg/dns"}},

	// The wings. What a tool knows of a running lab is control/api; who runs one knows everything but the teachers.
	"cmd/internal/control": {}, "cmd/internal/docker": {}, "cmd/internal/tools": {}, "cmd/internal/teach": {}, // doc.go alone: the wing's drawing
	"cmd/internal/plan": {ours: []string{"switch/frame", "switch/ipam", "switch/trace", "nat/rule"},
		others: []string{"github.com/compose-spec/compose-go/v2/...", "github.com/mattn/go-shellwords", "github.com/santhosh-tekuri/jsonschema/v6/...", "github.com/sirupsen/logrus", "go.yaml.in/yaml/v4"}},
	"cmd/internal/plan/firewall":   {ours: []string{"nat/rule"}},
	"cmd/internal/plan/dockerhost": {ours: []string{"switch/frame", "nat/rule", "cmd/internal/plan", "cmd/internal/plan/firewall"}},
	"cmd/internal/world": {ours: core("tap", "switch/vxlan", "nat/uplink", "cmd/internal/plan/...", "cmd/internal/world/names"),
		others: []string{"golang.org/x/sys/unix"}},
	"cmd/internal/world/names":     {ours: []string{"switch/frame", "switch/trace", "cmd/internal/plan"}, others: []string{"github.com/miekg/dns"}},
	"cmd/internal/world/probe":     {ours: []string{"switch/frame", "tap", "sim"}, others: []string{"golang.org/x/sys/unix"}},
	"cmd/internal/world/snapshot":  {ours: core("tap", "cmd/internal/plan", "cmd/internal/world", "cmd/internal/explain")},
	"cmd/internal/world/worldtest": {ours: []string{"switch/frame", "tap"}},
	"cmd/internal/simhost": {ours: core("cmd/internal/world/names", "cmd/internal/control/api", "cmd/internal/tools/..."),
		others: []string{"github.com/spf13/pflag", "mvdan.cc/sh/v3/..."}},
	"cmd/internal/explain":        {ours: core("cmd/internal/words", "cmd/internal/plan", "cmd/internal/control/api")}, // the questions and answers are the socket's
	"cmd/internal/control/api":    {ours: []string{"switch/frame", "switch/trace", "cmd/internal/words"}},
	"cmd/internal/words":          {ours: []string{"switch/trace"}, others: []string{"go.yaml.in/yaml/v4", "golang.org/x/text/language"}}, // other languages than English
	"cmd/internal/control/server": {ours: core("cmd/internal/words", "switch/vxlan", "nat/uplink", "switch/trace/pcap", "tap", "cmd/internal/plan/...", "cmd/internal/world/...", "cmd/internal/explain", "cmd/internal/control/api", "cmd/internal/docker/engine", "cmd/internal/tools/graph"), others: []string{"golang.org/x/sys/unix"}},
	"cmd/internal/docker/types":   {},
	"cmd/internal/docker/image":   {},
	"cmd/internal/docker/engine": {ours: []string{"switch/frame", "switch/ipam", "tap", "cmd/internal/plan", "cmd/internal/plan/firewall", "cmd/internal/world", "cmd/internal/docker/types", "cmd/internal/docker/image"},
		others: []string{"github.com/creack/pty", "github.com/docker/go-units", "golang.org/x/sys/unix"}},
	"cmd/internal/docker/client": {ours: []string{"cmd/internal/control/api", "cmd/internal/docker/types"},
		others: []string{"github.com/docker/go-connections/nat", "github.com/docker/go-units", "golang.org/x/sys/unix", "golang.org/x/term"}},
	"cmd/internal/docker/compose": {ours: []string{"cmd/internal/docker/client", "cmd/internal/docker/types"},
		others: []string{"github.com/compose-spec/compose-go/v2/types"}},
	"cmd/internal/tools/view":           {ours: []string{"switch/frame", "switch/trace", "cmd/internal/words", "cmd/internal/control/api", "cmd/internal/plan/dockerhost"}, others: []string{"golang.org/x/sys/unix"}},
	"cmd/internal/tools/hosttool":       {ours: []string{"switch/frame", "cmd/internal/control/api", "cmd/internal/tools/view"}},
	"cmd/internal/tools/ping":           {ours: []string{"switch/frame", "cmd/internal/control/api"}, others: []string{"github.com/spf13/pflag", "golang.org/x/sys/unix"}},
	"cmd/internal/tools/traceroute":     {ours: []string{"switch/frame", "cmd/internal/control/api"}, others: []string{"github.com/spf13/pflag"}},
	"cmd/internal/tools/serve":          {},
	"cmd/internal/tools/join":           {ours: []string{"switch/frame", "switch/trace", "cmd/internal/words", "switch/trace/pcap"}},
	"cmd/internal/tools/graph":          {ours: []string{"cmd/internal/control/api"}},
	"cmd/internal/tools/tcpdump/filter": {ours: []string{"switch/frame"}},
	"cmd/internal/tools/tcpdump": {ours: []string{"switch/frame", "switch/trace/pcap", "cmd/internal/control/api", "cmd/internal/tools/tcpdump/filter"},
		others: []string{"github.com/miekg/dns"}},
	"cmd/internal/tools/step": {ours: []string{"switch/frame", "switch/trace", "cmd/internal/words", "switch/trace/pcap", "cmd/internal/control/api", "cmd/internal/tools/view", "cmd/internal/tools/tcpdump"},
		others: []string{"golang.org/x/term"}},
	"cmd/internal/tools/watch": {ours: []string{"switch/trace", "cmd/internal/words", "cmd/internal/control/api", "cmd/internal/tools/view", "cmd/internal/tools/step"},
		others: []string{"charm.land/bubbletea/v2"}},
	"cmd/internal/web":            {ours: []string{"cmd/internal/control/api"}, others: []string{"github.com/coder/websocket"}},
	"cmd/playground":              {ours: []string{"cmd/internal/plan", "cmd/internal/session", "cmd/internal/teach/lesson", "cmd/internal/web"}},
	"cmd/internal/teach/state":    {},
	"cmd/internal/teach/check":    {ours: taught()},
	"cmd/internal/teach/breakage": {ours: taught("cmd/internal/teach/check", "cmd/internal/teach/state")},
	"cmd/internal/teach/lesson": {ours: taught("cmd/internal/teach/check", "cmd/internal/teach/state"),
		others: []string{"go.yaml.in/yaml/v4", "golang.org/x/sys/unix", "golang.org/x/text/width"}},
	"cmd/internal/session": {ours: core("cmd/internal/words", "switch/trace/pcap", "tap", "nat/uplink", "cmd/internal/plan/...", "cmd/internal/world/...", "cmd/internal/simhost", "cmd/internal/explain", "cmd/internal/control/...", "cmd/internal/docker/...", "cmd/internal/rootless", "cmd/internal/doctor", "cmd/internal/tools/..."),
		others: []string{"github.com/compose-spec/compose-go/v2/types", "golang.org/x/sys/unix"}},
	"cmd/internal/rootless": {others: []string{"golang.org/x/sys/unix"}},
	"cmd/internal/doctor":   {ours: []string{"tap"}, others: []string{"golang.org/x/sys/unix"}},
	"cmd/uswitch": {ours: []string{"switch/trace", "nat/rule", "cmd/internal/session", "cmd/internal/rootless", "cmd/internal/doctor", "cmd/internal/tools/...", "cmd/internal/teach/...", "cmd/internal/web", "cmd/internal/plan/...",
		"cmd/internal/docker/client", "cmd/internal/docker/compose", "cmd/internal/docker/image", "cmd/internal/docker/types", "cmd/internal/control/api", "cmd/internal/words"},
		others: []string{"github.com/compose-spec/compose-go/v2/types", "github.com/spf13/cobra/...", "github.com/spf13/pflag"}},
}

// core is what runs packets and can be asked without a machine around it, and what else a package may know.
func core(more ...string) []string {
	return append([]string{"switch", "switch/frame", "switch/trace", "arp/...", "nat", "nat/route", "nat/rule", "nat/conntrack", "nat/station", "sim"}, more...)
}

// taught is what a package of teach may know, which brings no lab up: that is a function that whoever calls it hands in.
func taught(more ...string) []string {
	return append([]string{"switch/frame", "switch/trace", "cmd/internal/words", "cmd/internal/control/api", "cmd/internal/plan", "cmd/internal/tools/view", "cmd/internal/tools/hosttool"}, more...)
}

// onlyIn says which packages may know a module that the house keeps in one place.
var onlyIn = map[string][]string{
	"gvisor.dev/gvisor":              {"nat/netstack", "nat/uplink", "nat/station"},
	"github.com/songgao/water":       {"tap"},
	"github.com/vishvananda/netlink": {"tap"},
	"github.com/vishvananda/netns":   {"tap"},
	"log":                            {}, // what happens to packets has reasons, not lines of a log
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		rule, bound := allowed[p.name]
		if !bound && !matches([]string{"test/..."}, p.name) {
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

// TestToolsKnowTheSocketAlone: of a running lab, whoever prints a table or talks to a lab has the control socket's types and
// client; whoever teaches has no lab of its own either. Nothing that they import, however far away, runs packets.
func TestToolsKnowTheSocketAlone(t *testing.T) {
	outsiders := []string{"cmd/internal/control/api", "cmd/internal/docker/client", "cmd/internal/tools/...", "cmd/internal/teach/...", "cmd/internal/web/..."}
	inside := []string{"switch", "nat", "nat/conntrack", "nat/station", "nat/netstack", "nat/uplink", "tap/...", "sim/...", "cmd/internal/world/...", "cmd/internal/explain",
		"cmd/internal/simhost", "cmd/internal/control/server", "cmd/internal/docker/engine", "cmd/internal/session"}
	seen := 0
	for _, p := range packages(t) {
		if !matches(outsiders, p.name) {
			continue
		}
		seen++
		for _, path := range p.Deps {
			if ours, isOurs := strings.CutPrefix(path, "uswitch/"); isOurs && matches(inside, ours) || strings.HasPrefix(path, "gvisor.dev/") {
				t.Errorf("%s comes to import %s: of a running lab it may know control/api alone", p.name, path)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages were looked at", seen)
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
	Deps       []string
}

func packages(t *testing.T) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports,Deps", "./...")
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
