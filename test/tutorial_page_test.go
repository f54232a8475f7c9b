package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The pages of testdata/tutorials, one a tutorial:
//
//	@WHERE       the terminal that the next lines are typed in: HOST, or a namespace or container by name
//	$ COMMAND    what is typed there
//	& COMMAND    the same, running on until &.
//	= LINE       what it prints; blanks between columns do not count
//	~            the rest of the output, or lines between, do not matter
//	# ...        a remark

// A pageLine is one command of a page, and the output that stands below it.
type pageLine struct {
	number  int    // in the file
	where   string // HOST, RED, PINK ...
	command string
	goesOn  bool     // it runs on while the next lines are typed
	ends    bool     // &.: what runs on ends here
	quiet   bool     // what begins here sees nothing: a person is slower than the last ping's ARP
	want    []string // patterns of lines, and ~
}

func (l pageLine) String() string {
	switch {
	case l.ends:
		return "&. " + l.command
	case l.where == "HOST":
		return l.command
	}
	return l.where + ": " + l.command
}

func readPage(t *testing.T, name string) (page []pageLine) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "tutorials", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	where, running, number, began := "", "", 0, 0
	for line := range strings.Lines(string(text)) {
		number++
		kind, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		switch {
		case strings.HasPrefix(kind, "@"):
			where = kind[1:]
		case kind == "$", kind == "&":
			page = append(page, pageLine{number: number, where: where, command: rest, goesOn: kind == "&"})
			if kind == "&" {
				running = rest
			}
		case kind == "&.":
			page = append(page, pageLine{number: number, where: where, command: running, ends: true})
			began = len(page) - 1
			for page[began].command != running || !page[began].goesOn {
				began--
			}
		case kind == "=":
			last := &page[len(page)-1]
			last.want = append(last.want, strings.Join(strings.Fields(rest), " "))
			page[began].quiet = page[began].quiet || last.ends && rest == "0 packets captured"
		case kind == "~":
			last := &page[len(page)-1]
			last.want = append(last.want, kind)
		case kind != "#":
			t.Fatalf("%s.txt:%d: %s", name, number, line)
		}
	}
	return page
}

// values are what lettered placeholders stand for in this page: of <id12:a> under "id12:a".
type values map[string]string

var placeholder = regexp.MustCompile(`<(id12|id64|n|t|veth|pid|name|host|any|mac)(?::([a-z]+))?>`)

// hole has what a placeholder may stand for.
var hole = map[string]string{
	"id12": `[0-9a-f]{12}`, "id64": `[0-9a-f]{64}`, "n": `[0-9]+`, "pid": `[0-9]+`, "veth": `veth[0-9a-f]{7}`, "name": `[a-z]+_[a-z0-9-]+`,
	"t":    `(?:[0-9][0-9.:TZ+-]*|Less than a second|About an? [a-z]+)(?: ?[a-z]+)?`,
	"host": `(?:[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[A-Za-z][A-Za-z0-9.-]*)`, "any": `.*`,
	"mac": `(?:[0-9a-f]{2}(?::[0-9a-f]{2}){2,5}|[0-9a-f]{8,12})`,
}

// slow has what a machine under load prints for what depends on how soon somebody looks.
var slow = strings.NewReplacer("time 0ms", "time [0-9]+ms", "REACHABLE", "(?:REACHABLE|STALE|DELAY|PROBE)")

// fill puts the known values into a command.
func (v values) fill(command string) string {
	return placeholder.ReplaceAllStringFunc(command, func(p string) string {
		if value, ok := v[strings.Trim(p, "<>")]; ok {
			return value
		}
		return p
	})
}

// line reports whether a line of output is as a pattern says, and which values that gives to the lettered placeholders.
func (v values) line(pattern, line string) (values, bool) {
	var expression strings.Builder
	var names []string
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(pattern, -1) {
		expression.WriteString(regexp.QuoteMeta(pattern[at:m[0]]))
		at = m[1]
		key := strings.Trim(pattern[m[0]:m[1]], "<>")
		if value, known := v[key]; known {
			expression.WriteString(regexp.QuoteMeta(value))
		} else if m[4] >= 0 {
			names = append(names, key)
			fmt.Fprintf(&expression, "(%s)", hole[pattern[m[2]:m[3]]])
		} else {
			fmt.Fprintf(&expression, "(?:%s)", hole[pattern[m[2]:m[3]]])
		}
	}
	expression.WriteString(slow.Replace(regexp.QuoteMeta(pattern[at:])))
	found := regexp.MustCompile("^" + expression.String() + "$").FindStringSubmatch(line)
	if found == nil {
		return v, false
	}
	more := maps.Clone(v)
	for i, name := range names {
		more[name] = found[i+1]
	}
	return more, true
}

// match reports whether output is as a page has it, and which values that gives to the lettered placeholders.
func (v values) match(want, got []string) (values, bool) {
	switch {
	case len(want) == 0:
		return v, len(got) == 0
	case want[0] == "~" && len(want) == 1:
		return v, true
	case want[0] == "~":
		for i := range len(got) + 1 {
			if more, ok := v.match(want[1:], got[i:]); ok {
				return more, true
			}
		}
		return v, false
	case len(got) == 0:
		return v, false
	}
	more, ok := v.line(want[0], got[0])
	if !ok {
		return v, false
	}
	return more.match(want[1:], got[1:])
}

// columns returns output as a page has it: without uswitch's own remarks, with one blank between columns, and no empty line at the end.
func columns(output string) (got []string) {
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "uswitch: ") {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
	}
	for len(got) > 0 && got[len(got)-1] == "" {
		got = got[:len(got)-1]
	}
	return got
}

func TestPagesMatch(t *testing.T) {
	t.Parallel()
	v := values{"n:b": "7"}
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"~\n<n:a>: eth0@if<n:b>: UP\nlink <mac>\n~", "1: lo\n12:  eth0@if7:  UP\nlink 02:42:ac:11:00:02\nmore", true},
		{"~\n<n:a>: eth0@if<n:b>: UP\n~", "1: lo\n12: eth0@if8: UP", false},
		{"docker0 8000.0242<mac> no <veth>\n<veth>", "docker0\t8000.0242ac110001\tno\tvethabc1234\n\t\tveth1234567\n\n", true},
		{"docker0 8000.0242<mac> no <veth>\n<veth>", "docker0\t8000.0242ac110001\tno\tvethabc1234\n", false},
		{"100% packet loss, time 0ms", "100% packet loss, time 12ms", true},
		{"~\nlast\n~\n~", "first\nlast\n", true},
		{"", "uswitch: image busybox is not used\n", true},
		{"", "something\n", false},
	} {
		var want []string
		if c.want != "" {
			want = strings.Split(c.want, "\n")
		}
		if more, ok := v.match(want, columns(c.got)); ok != c.ok || ok && strings.Contains(c.want, "n:a") && more["n:a"] != "12" {
			t.Errorf("%q, %q: %v, %v", c.want, c.got, ok, more)
		}
	}
}
