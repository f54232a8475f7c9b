package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestStories plays the small worlds of sim/testdata, each a lab file and what somebody types while that lab is up in memory: what
// comes of it, and every step of every packet, is what the file says.
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../sim/testdata/*.txtar")
	if err != nil || len(files) < 17 {
		t.Fatalf("%d stories: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			story, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			part := map[string]*txtar.File{}
			for i := range story.Files {
				part[story.Files[i].Name] = &story.Files[i]
			}
			lab := filepath.Join(t.TempDir(), "lab.yaml")
			if err := os.WriteFile(lab, part["lab.yaml"].Data, 0o666); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			virtually(t, &text, &text, "2", "run", "--sim", lab, "--", "sh", "-c", script(string(part["commands"].Data)))
			got := strings.ReplaceAll(text.String(), filepath.Dir(lab)+"/", "")
			if *update {
				part["output"].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(story), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(part["output"].Data); got != want {
				t.Errorf("it prints otherwise:\n%s", firstDifference(want, got))
			}
		})
	}
}

// script is a script that shows each command before it runs it.
func script(commands string) string {
	var b strings.Builder
	for line := range strings.Lines(commands) {
		line = strings.TrimSpace(line)
		fmt.Fprintf(&b, "printf '%%s\\n' '$ %s'\n%s\n", strings.ReplaceAll(strings.TrimPrefix(line, "uswitch "), "'", `'\''`), line)
	}
	return b.String() + "exit 0\n"
}
