package lesson

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestWrapped(t *testing.T) {
	for _, c := range []struct {
		text string
		room int
		want []string
	}{
		{"one two three", 8, []string{"one two", "three"}},
		{"type `ip addr show` now", 10, []string{"type", "`ip addr show`", "now"}},
		{"스위치는 배운다", 8, []string{"스위치는", "배운다"}},
		{"longerthanroom x", 4, []string{"longerthanroom", "x"}},
		{"", 10, nil},
	} {
		if got := wrapped(c.text, c.room); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d columns: %q, want %q", c.text, c.room, got, c.want)
		}
	}
}

// TestTell renders every text of every lesson in both languages: no line is wider than it may be, unless it is shown as it is or
// is one long word, and no Markdown is left in it.
func TestTell(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		for _, lang := range Languages {
			text := rendered(t, l, lang)
			if len(strings.Fields(text)) < 60 {
				t.Errorf("%s in %s is too short to teach anything:\n%s", l.Name, lang, text)
			}
			for line := range strings.Lines(text) {
				if columns(line) > 81 && !strings.Contains(line, "`") && !strings.HasPrefix(line, "    ") || strings.Contains(line, "**") {
					t.Errorf("%s in %s: %d columns: %s", l.Name, lang, columns(line), line)
				}
			}
			hangul := strings.ContainsFunc(text, func(r rune) bool { return r >= 0xac00 && r <= 0xd7a3 })
			if hangul != (lang == "ko") {
				t.Errorf("%s in %s is in another language", l.Name, lang)
			}
		}
	}
}

// rendered returns all texts of a lesson as they are shown on a terminal of 80 columns.
func rendered(t *testing.T, l *Lesson, lang Language) string {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := &player{Options: Options{Language: lang, Out: out, Width: 80}, lesson: l}
	for i := range l.Steps {
		if l.Steps[i].Text != nil {
			p.tell(&l.Steps[i])
		}
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPhrases looks for a phrase that the player could not say in some language.
func TestPhrases(t *testing.T) {
	for p := enterRuns; p <= leftOut; p++ {
		for _, lang := range Languages {
			if p.in(lang) == "" {
				t.Errorf("phrase %d is missing in %s", p, lang)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for line, want := range map[string][]int{"2": {1}, "3 1,3": {0, 2}, "0": nil, "4": nil, "x": nil, "": nil} {
		if got, ok := numbers(line, 3); ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", line, got, ok, want)
		}
	}
}
