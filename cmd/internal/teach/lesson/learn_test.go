package lesson_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uswitch/cmd/internal/teach/lesson"
)

const head = "---\ntitle: {en: T}\n---\n"

// lab is a block with one check, c.
const lab = "```lab\nservices: {RED: {}}\nx-uswitch: {checks: [{name: c, from: RED, to: 8.8.8.8}]}\n```\n"

const mend = "```mend c\ntrue\n```\n"

func TestMistakes(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "x.md:1: want front matter first"},
		{"no title", "---\norder: 1\n---\n" + lab + mend, "title is missing"},
		{"unknown key", "---\ntitel: {en: T}\n---\n" + lab + mend, "titel"},
		{"a language that nobody speaks", "---\ntitle: {xx: T}\n---\n" + lab + mend, `title: "xx": want one of [en ko]`},
		{"no lab", head + "text\n", "x.md:1: want a lab"},
		{"a step before the lab", head + "```run\ntrue\n```\n" + lab + mend, "x.md:4: want the lab first"},
		{"two labs", head + lab + lab + mend, "x.md:8: a second lab"},
		{"a mistake in the lab has the lesson's line", head + "```lab\nservices: {RED: {}}\nx-uswitch: {uplnk: sim}\n```\n", "x.md:6: x-uswitch.uplnk: no such key"},
		{"no checks", head + "```lab\nservices: {RED: {}}\n```\n", "want checks"},
		{"a check that cannot fail", head + lab, "check c: no step mends it"},
		{"an unknown check", head + lab + mend + "```holds\nd\n```\n", "x.md:11: d: the lab has no check of that name"},
		{"nothing to mend", head + lab + "```mend\ntrue\n```\n" + mend, "x.md:8: mend: want the names"},
		{"an empty block", head + lab + mend + "```run\n```\n", "x.md:11: this block is empty"},
		{"an end that is none", head + lab + mend + "```run well\ntrue\n```\n", "x.md:11: run well"},
		{"expect behind nothing", head + lab + "```expect\nx\n```\n" + mend, "x.md:8: expect: want it right behind"},
		{"no end", head + lab + mend + "```run\ntrue\n", "x.md:11: this block does not end"},
		{"a question of no kind", head + lab + mend + "```question\n{kind: why, from: RED}\n```\n", `x.md:11: question: kind "why"`},
		{"a question without ports' command", head + lab + mend + "```question\n{kind: ports, from: RED}\n```\n", "ports: want command, frame: arp, ip or ipv6, and to:"},
		{"one language is missing", "---\ntitle: {en: T, ko: T}\n---\n" + lab + "[en]\nhello\n\n" + mend, "not in every language"},
		{"a language without a title", head + lab + "[ko]\nhello\n\n" + mend, "x.md:8: [ko]: the lesson has no title"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := lesson.Parse("x.md", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
}

// TestBuiltin holds the lessons to what the list promises: 16, in order, each in every language.
func TestBuiltin(t *testing.T) {
	all, err := lesson.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 16 {
		t.Fatalf("%d lessons, want 16", len(all))
	}
	for i, l := range all {
		if i > 0 && l.Order <= all[i-1].Order || len(l.Languages()) != len(lesson.Languages) {
			t.Errorf("lesson %d: %s has the number %d, in %v", i+1, l.Name, l.Order, l.Languages())
		}
		first := len(l.Steps)
		for n, s := range l.Steps {
			if s.Mends != nil {
				first = min(first, n)
			}
		}
		failure := false
		for _, s := range l.Steps[:first+1] {
			failure = failure || s.Fails != nil || s.End == lesson.Badly
		}
		if !failure && l.Name != "docker0" {
			t.Errorf("%s: something is mended before anything has failed", l.Name)
		}
	}
	for _, name := range []string{"4", "gateway"} {
		if l, err := lesson.Find(name); err != nil || l.Name != "gateway" {
			t.Errorf("Find(%s): %v, %v", name, l, err)
		}
	}
	if _, err := lesson.Find("0"); err == nil || !strings.Contains(err.Error(), "want 1 to 17") {
		t.Errorf("lesson 0: %v", err)
	}
}

func TestProgress(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	p, err := lesson.LoadProgress(dir)
	if err != nil || len(p) != 0 {
		t.Fatalf("%v, %v; want none", p, err)
	}
	p["cable"] = lesson.Reached{Steps: 3, Of: 6}
	p["switch"] = lesson.Reached{Steps: 9, Of: 9, Done: true}
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "learn.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want a file of this user's alone", info.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v is left in the directory", left)
	}
	if p, err = lesson.LoadProgress(dir); err != nil || !p["switch"].Done || p["cable"].Steps != 3 {
		t.Errorf("%v, %v", p, err)
	}
	all, err := lesson.All()
	if err != nil {
		t.Fatal(err)
	}
	var list bytes.Buffer
	if err := lesson.List(&list, all, p, "ko"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"50%     1  cable          네임스페이스", "done    2  switch", "        3  arp"} {
		if !strings.Contains(list.String(), want) {
			t.Errorf("the list lacks %q:\n%s", want, &list)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "learn.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lesson.LoadProgress(dir); err == nil {
		t.Error("half a file is taken for progress")
	}
}

// TestNew writes a skeleton, which must be a lesson, and does not write over one.
func TestNew(t *testing.T) {
	t.Chdir(t.TempDir())
	file, err := lesson.New("my-lesson")
	if err != nil || file != "my-lesson.md" {
		t.Fatal(file, err)
	}
	l, err := lesson.Find("./my-lesson.md")
	if err != nil || l.Name != "my-lesson" || len(l.Steps) < 5 {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := lesson.New("my-lesson"); err == nil {
		t.Error("a lesson was written over")
	}
	if _, err := lesson.New("../x"); err == nil {
		t.Error("a lesson was written elsewhere")
	}
}
