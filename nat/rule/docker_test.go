package rule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uswitch/nat/rule"
)

// dockerRules finds the rule sets of Docker 28 and 29, which lie beside the repository in shared/data.
func dockerRules(t *testing.T) (files []string) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		files, err = filepath.Glob(filepath.Join(dir, "shared", "data", "docker-rules", "*", "ipv*", "*.rules"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) > 0 {
			return files
		}
	}
	unavailable(t, "shared/data/docker-rules beside the repository")
	return nil
}

// familyOf says whose rules a file holds.
func familyOf(file string) rule.Family {
	if filepath.Base(filepath.Dir(file)) == "ipv6" {
		return rule.IPv6
	}
	return rule.IPv4
}

// read returns the text of a file.
func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDockerRoundTrip takes every rule set of Docker's through Restore and Save: the same bytes come out.
func TestDockerRoundTrip(t *testing.T) {
	files := dockerRules(t)
	if len(files) < 260 {
		t.Errorf("only %d files", len(files))
	}
	for _, file := range files {
		text := read(t, file)
		tables := rule.NewTables(familyOf(file))
		if err := tables.Restore(strings.NewReader(text), rule.RestoreOptions{}); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got := tables.Snapshot().Save(rule.SaveOptions{}); got != text {
			t.Errorf("%s:%s", file, difference(text, got))
		}
	}
}

// TestDockerAsTyped makes every rule set from the commands that -S prints, one after the other as Docker types them, and
// with -D unmakes it again.
func TestDockerAsTyped(t *testing.T) {
	for _, file := range dockerRules(t) {
		f := familyOf(file)
		source, typed := rule.NewTables(f), rule.NewTables(f)
		if err := source.Restore(strings.NewReader(read(t, file)), rule.RestoreOptions{}); err != nil {
			t.Fatalf("%s: %v", file, err)
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
					t.Fatalf("%s: %s: %v", file, line, err)
				}
				undo = append(undo, w)
			}
		}
		compareSave(t, file, source, typed)
		for i := len(undo) - 1; i >= 0; i-- {
			w := undo[i]
			w[2] = map[string]string{"-A": "-D", "-N": "-X", "-P": "-P"}[w[2]]
			if _, err := typed.Exec(w); err != nil {
				t.Fatalf("%s: %s: %v", file, strings.Join(w, " "), err)
			}
		}
		compareSave(t, file+" undone", rule.NewTables(f), typed)
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
	files := dockerRules(t)
	texts := make([]string, len(files))
	families := make([]rule.Family, len(files))
	for i, file := range files {
		texts[i], families[i] = read(t, file), familyOf(file)
	}
	for i, complaint := range agreeOnSets(t, texts, families) {
		t.Errorf("%s:%s", files[i], complaint)
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
