package rule_test

import (
	"slices"
	"strings"
	"testing"

	"uswitch/nat/rule"
)

// TestAgreesOnSession types testdata/session4.txt, one command after the other, to the real iptables and to ours: every
// answer is the same. A line that begins with ~ is one where ours answers differently on purpose, and with % one that is
// typed only to the real one, to bring both to the same state again.
func TestAgreesOnSession(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	lines := readLines(t, "session4.txt")
	var script [][]string
	for _, line := range lines {
		w := words(t, strings.TrimLeft(line, "~%"))
		if !strings.HasPrefix(w0(w), "iptables") {
			w = append([]string{"iptables-nft"}, w...)
		}
		script = append(script, w)
	}
	tables := rule.NewTables(rule.IPv4)
	for i, want := range r.run(script, nil) {
		line := lines[i]
		if strings.HasPrefix(line, "%") {
			continue
		}
		w := words(t, strings.TrimLeft(line, "~"))
		var got string
		var err error
		if w0(w) == "iptables-save" {
			got = tables.Snapshot().Save(rule.SaveOptions{Counters: slices.Contains(w, "-c"), Table: rule.Filter})
			want.output = withoutComments(want.output)
		} else {
			got, err = tables.Exec(w)
		}
		same := (err != nil) == want.failed && (err != nil || got == want.output) &&
			(err == nil || strings.HasPrefix(errText(err), realError(want.output)))
		if same == strings.HasPrefix(line, "~") {
			t.Errorf("line %d: %s%s", i+1, line, difference(want.output, got+errText(err)))
		}
	}
}

// w0 is the first word, or nothing.
func w0(w []string) string {
	if len(w) == 0 {
		return ""
	}
	return w[0]
}
