package trace_test

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"uswitch/switch/trace"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestJourneys(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options trace.TextOptions
		events  []trace.Event
	}{
		{"first-ping.txt", trace.TextOptions{Names: labNames{}}, firstPing()},
		{"first-ping-nameless.txt", trace.TextOptions{}, firstPing()},
		{"ping-out.txt", trace.TextOptions{Names: labNames{}}, pingOut()},
		{"ping-out-colour.txt", trace.TextOptions{Names: labNames{}, Colour: true}, pingOut()},
		{"ping-out-72.txt", trace.TextOptions{Names: labNames{}, Width: 72}, pingOut()},
		{"waiting.txt", trace.TextOptions{Names: labNames{}}, waiting()},
		{"publish.txt", trace.TextOptions{Names: labNames{}}, publish()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := print(tt.options, tt.events...)
			golden(t, tt.name, text)
			width := cmp.Or(tt.options.Width, 100)
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && !tt.options.Colour {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}
