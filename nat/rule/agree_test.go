package rule_test

import (
	"slices"
	"strings"
	"testing"

	"uswitch/nat/rule"
)

// TestAgreesOnRules gives each line of testdata/rules*.txt to the real iptables and to ours, on empty tables: both take
// it and then print the same in every view, or both refuse it, ours in the same words and perhaps more of them. A line
// that begins with ~ is one where ours differs on purpose; it must differ.
func TestAgreesOnRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		family rule.Family
	}{{"rules4.txt", rule.IPv4}, {"rules6.txt", rule.IPv6}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			agreeOnRules(t, newReal(t), c.family, readLines(t, c.name))
		})
	}
}

func agreeOnRules(t *testing.T, r *real, f rule.Family, lines []string) {
	var script [][]string
	for _, line := range lines {
		w := words(t, strings.TrimPrefix(line, "~"))
		table := tableOf(w)
		script = append(script, append([]string{program(f)}, w...))
		for _, v := range views {
			script = append(script, append([]string{program(f), "-t", table}, v...))
		}
		script = append(script, []string{program(f), "-t", table, "-F"})
	}
	results := r.run(script, nil)
	each := len(views) + 2
	for i, line := range lines {
		line, differs := strings.CutPrefix(line, "~")
		complaints := compare(t, f, words(t, line), results[i*each:(i+1)*each])
		switch {
		case differs && len(complaints) == 0:
			t.Errorf("%s\n\tis said to differ and does not", line)
		case !differs && len(complaints) > 0:
			t.Errorf("%s\n%s", line, strings.Join(complaints, "\n"))
		}
	}
}

// compare carries a command out on empty tables of ours and says what is different from the real results.
func compare(t *testing.T, f rule.Family, line []string, want []result) (complaints []string) {
	t.Helper()
	tables := rule.NewTables(f)
	output, err := tables.Exec(line)
	if (err != nil) != want[0].failed {
		return []string{"\treal: " + want[0].output + "\tours: " + output + errText(err)}
	}
	if err != nil {
		if real := realError(want[0].output); !strings.HasPrefix(errText(err), real) {
			return []string{"\treal: " + real + "\n\tours: " + errText(err)}
		}
		return nil
	}
	for i, v := range views {
		got, err := tables.Exec(append([]string{"-t", tableOf(line)}, v...))
		if err != nil || got != want[i+1].output {
			complaints = append(complaints, "\t"+strings.Join(v, " ")+difference(want[i+1].output, got+errText(err)))
		}
	}
	return complaints
}

// difference shows the lines that only one of two texts has.
func difference(real, ours string) string {
	var b strings.Builder
	left, right := strings.Split(real, "\n"), strings.Split(ours, "\n")
	for _, line := range left {
		if !slices.Contains(right, line) {
			b.WriteString("\n\treal: " + line + "$")
		}
	}
	for _, line := range right {
		if !slices.Contains(left, line) {
			b.WriteString("\n\tours: " + line + "$")
		}
	}
	return b.String()
}

// tableOf finds the table that a command line names.
func tableOf(line []string) string {
	if i := slices.Index(line, "-t"); i >= 0 {
		return line[i+1]
	}
	return "filter"
}

// errText is our message without the tool's name.
func errText(err error) string {
	if err == nil {
		return ""
	}
	_, text, _ := strings.Cut(err.Error(), ": ")
	return text
}

// realError is the real message without the tool's name, its version, and the advice to ask for help.
func realError(output string) string {
	output, _, _ = strings.Cut(output, "Try `")
	for _, tool := range []string{"ip6tables", "iptables"} {
		output = strings.TrimPrefix(output, tool+" v1.8.9 (nf_tables): ")
		output = strings.TrimPrefix(output, tool+": ")
	}
	return strings.TrimSpace(output)
}
