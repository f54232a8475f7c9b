package rule_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"uswitch/nat/rule"
)

// needRoot skips a test that needs the kernel's netfilter, naming what is missing; where CI=true it fails instead.
func needRoot(t *testing.T, tools ...string) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, tool := range append(tools, "ip", "bash") {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	if missing != "" {
		unavailable(t, missing)
	}
}

// unavailable skips a test, or fails it where CI=true, for want of something.
func unavailable(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("needs " + what)
	}
	t.Skip("needs " + what)
}

// spoken is the version of iptables whose bytes are compared; others print a little differently.
const spoken = "v1.8.9 (nf_tables)"

var namespaces atomic.Int64

// real is the kernel's iptables in a namespace of its own.
type real struct {
	t         *testing.T
	namespace string
}

// newReal makes a namespace, which goes away with the test.
func newReal(t *testing.T) *real {
	t.Helper()
	needRoot(t, "iptables-nft", "ip6tables-nft")
	if out, err := exec.Command("iptables-nft", "-V").Output(); err != nil || !strings.Contains(string(out), spoken) {
		unavailable(t, fmt.Sprintf("iptables-nft %s, this is %s%v", spoken, out, err))
	}
	r := &real{t, fmt.Sprintf("usw-rule-%d-%d", os.Getpid(), namespaces.Add(1))}
	if out, err := exec.Command("ip", "netns", "add", r.namespace).CombinedOutput(); err != nil {
		t.Fatalf("ip netns add: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", r.namespace).Run() })
	return r
}

// result is what one command did.
type result struct {
	output string // stdout and stderr
	failed bool
}

// run carries out command lines, each a program with its arguments and what it reads, in one shell.
func (r *real) run(lines [][]string, inputs []string) []result {
	r.t.Helper()
	const mark = "\x01"
	var script strings.Builder
	for i, words := range lines {
		quoted := make([]string, len(words))
		for j, w := range words {
			quoted[j] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		input := "</dev/null"
		if i < len(inputs) && inputs[i] != "" {
			input = "<<'END-OF-INPUT'\n" + strings.TrimSuffix(inputs[i], "\n") + "\nEND-OF-INPUT"
		}
		fmt.Fprintf(&script, "%s 2>&1 %s\nprintf '\\001%%d\\001' $?\n", strings.Join(quoted, " "), input)
	}
	cmd := exec.Command("ip", "netns", "exec", r.namespace, "bash")
	cmd.Stdin = strings.NewReader(script.String())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("bash in namespace: %v", err)
	}
	parts := strings.Split(out.String(), mark)
	if len(parts) != 2*len(lines)+1 {
		r.t.Fatalf("%d results for %d commands", len(parts)/2, len(lines))
	}
	results := make([]result, len(lines))
	for i := range lines {
		results[i] = result{parts[2*i], parts[2*i+1] != "0"}
	}
	return results
}

// program is the real command of a family.
func program(f rule.Family) string {
	if f == rule.IPv6 {
		return "ip6tables-nft"
	}
	return "iptables-nft"
}

// views are the ways to look at a table that are compared.
var views = [][]string{
	{"-S"}, {"-S", "-v"}, {"-L"}, {"-L", "-v", "-n", "-x", "--line-numbers"},
}

// withoutComments drops the lines of iptables-save that hold dates.
func withoutComments(s string) string {
	var kept []string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "#") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// words cuts a line as the package does.
func words(t *testing.T, line string) []string {
	t.Helper()
	w, err := rule.SplitLine(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return w
}

// readLines returns the lines of a file of testdata, without comments and blank ones.
func readLines(t *testing.T, name string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}
