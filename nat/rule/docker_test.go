package rule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/nat/rule"
)

// dockerSet is one rule set that Docker makes.
type dockerSet struct {
	name   string
	family rule.Family
	text   string
}

// dockerSets are what Docker 20.10 has printed, what package firewall makes as Docker 28 and 29 do, and, where shared/data lies
// beside the repository, the originals of those.
func dockerSets(t *testing.T) (sets []dockerSet) {
	t.Helper()
	for _, file := range glob(t, "testdata", "docker-20.10", "*", "*.rules") {
		sets = append(sets, dockerSet{file, rule.IPv4, string(read(t, file))})
	}
	for _, file := range glob(t, "..", "..", "cmd", "internal", "plan", "firewall", "testdata", "*.txtar") {
		for _, f := range txtar.Parse(read(t, file)).Files {
			sets = append(sets, dockerSet{file + ": " + f.Name, familyOf(file), string(f.Data)})
		}
	}
	if len(sets) < 100 {
		t.Fatalf("only %d rule sets", len(sets))
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		for _, file := range glob(t, dir, "shared", "data", "docker-rules", "*", "ipv*", "*.rules") {
			sets = append(sets, dockerSet{file, familyOf(filepath.Dir(file)), string(read(t, file))})
		}
	}
	return sets
}

// familyOf says whose rules a path that ends in ipv4 or ipv6 holds.
func familyOf(path string) rule.Family {
	if strings.HasSuffix(strings.TrimSuffix(path, filepath.Ext(path)), "ipv6") {
		return rule.IPv6
	}
	return rule.IPv4
}

func glob(t *testing.T, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestDockerRoundTrip takes every rule set of Docker's through Restore and Save: the same bytes come out.
func TestDockerRoundTrip(t *testing.T) {
	for _, set := range dockerSets(t) {
		tables := rule.NewTables(set.family)
		if err := tables.Restore(strings.NewReader(set.text), rule.RestoreOptions{}); err != nil {
			t.Errorf("%s: %v", set.name, err)
			continue
		}
		if got := tables.Snapshot().Save(rule.SaveOptions{}); got != set.text {
			t.Errorf("%s:%s", set.name, difference(set.text, got))
		}
	}
}

// TestDockerAsTyped makes every rule set from the commands that -S prints, one after the other as Docker types them, and
// with -D unmakes it again.
func TestDockerAsTyped(t *testing.T) {
	for _, set := range dockerSets(t) {
		f := set.family
		source, typed := rule.NewTables(f), rule.NewTables(f)
		if err := source.Restore(strings.NewReader(set.text), rule.RestoreOptions{}); err != nil {
			t.Fatalf("%s: %v", set.name, err)
		}
		var undo [][]string
		for _, table := range []string{"raw", "filter", "nat"} {
			list, err := source.Exec([]string{"-t", table, "-S"})
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(list) {
				w := append([]string{"-t", table}, words(t, line)...)
				if _, err := typed.Exec(w); err != nil {
					t.Fatalf("%s: %s: %v", set.name, line, err)
				}
				undo = append(undo, w)
			}
		}
		compareSave(t, set.name, source, typed)
		for i := len(undo) - 1; i >= 0; i-- {
			w := undo[i]
			w[2] = map[string]string{"-A": "-D", "-N": "-X", "-P": "-P"}[w[2]]
			if w[2] == "-P" {
				w[4] = "ACCEPT" // what every built-in chain begins with
			}
			if _, err := typed.Exec(w); err != nil {
				t.Fatalf("%s: %s: %v", set.name, strings.Join(w, " "), err)
			}
		}
		compareSave(t, set.name+" undone", rule.NewTables(f), typed)
	}
}

// compareSave complains unless two tables are saved as the same text.
func compareSave(t *testing.T, what string, want, got *rule.Tables) {
	t.Helper()
	w, g := want.Snapshot().Save(rule.SaveOptions{Counters: true}), got.Snapshot().Save(rule.SaveOptions{Counters: true})
	if w != g {
		t.Errorf("%s:%s", what, difference(w, g))
	}
}

// TestDockerAgrees gives every rule set of Docker's to the real iptables-restore and to ours; all views are the same.
func TestDockerAgrees(t *testing.T) {
	t.Parallel()
	sets := dockerSets(t)
	texts := make([]string, len(sets))
	families := make([]rule.Family, len(sets))
	for i, set := range sets {
		texts[i], families[i] = set.text, set.family
	}
	for i, complaint := range agreeOnSets(t, texts, families) {
		t.Errorf("%s:%s", sets[i].name, complaint)
	}
}

// numeric puts addresses back where the real iptables found names in /etc/hosts and /etc/networks.
func numeric(listing string, f rule.Family) string {
	column := func(s string) string { return fmt.Sprintf("%-19s ", s) }
	host := "127.0.0.1"
	if f == rule.IPv6 {
		host = "::1"
	}
	return strings.NewReplacer(
		column("localhost"), column(host), column("ip6-localhost"), column(host), column("loopback/8"), column("127.0.0.0/8"),
	).Replace(listing)
}

// agreeOnSets restores texts in the real iptables and in ours and says by index where anything looks different.
func agreeOnSets(t *testing.T, texts []string, families []rule.Family) map[int]string {
	t.Helper()
	var script [][]string
	var inputs []string
	looks := [][]string{
		{"-t", "filter", "-L"}, {"-t", "filter", "-L", "-v", "-n", "-x", "--line-numbers"},
		{"-t", "nat", "-L", "-v", "-n", "-x", "--line-numbers"},
	}
	for i, text := range texts {
		tool := program(families[i])
		script, inputs = append(script, []string{tool + "-restore", "-c"}), append(inputs, text)
		script, inputs = append(script, []string{tool + "-save", "-c"}), append(inputs, "")
		for _, look := range looks {
			script, inputs = append(script, append([]string{tool}, look...)), append(inputs, "")
		}
	}
	results := newReal(t).run(script, inputs)
	each := len(script) / len(texts)
	complaints := map[int]string{}
	for i, text := range texts {
		want := results[i*each : (i+1)*each]
		ours := rule.NewTables(families[i])
		err := ours.Restore(strings.NewReader(text), rule.RestoreOptions{Counters: true})
		if err != nil || want[0].failed {
			complaints[i] = fmt.Sprintf("\n\treal: %s\n\tours: %v", want[0].output, err)
			continue
		}
		got := []string{ours.Snapshot().Save(rule.SaveOptions{Counters: true})}
		for _, look := range looks {
			output, err := ours.Exec(look)
			got = append(got, output+errText(err))
		}
		for j, g := range got {
			if w := numeric(withoutComments(want[j+1].output), families[i]); w != g {
				complaints[i] += "\n\t" + strings.Join(script[i*each+j+1], " ") + difference(w, g)
			}
		}
	}
	return complaints
}
