package sim_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uswitch/sim"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestScenarios runs every story in testdata, twice, and compares it with what the file says.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sim.ParseScenario(data)
			if err != nil {
				t.Fatal(err)
			}
			output, traced, err := s.Run()
			if err != nil {
				t.Errorf("%v\n%s", err, output)
			}
			if again, tracedAgain, _ := s.Run(); again != output || tracedAgain != traced {
				t.Error("two runs differ")
			}
			if *update {
				if err := os.WriteFile(path, s.Update(output, traced), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			wantOutput, wantTraced := s.Expected()
			compare(t, "output", output, wantOutput)
			compare(t, "trace", traced, wantTraced)
		})
	}
}

// compare reports the first line that differs.
func compare(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		line := func(lines []string) string {
			if i < len(lines) {
				return lines[i]
			}
			return "(nothing)"
		}
		if g, w := line(gotLines), line(wantLines); g != w {
			t.Errorf("%s, line %d (run with -update to accept):\n got %s\nwant %s", what, i+1, g, w)
			return
		}
	}
}

func TestScenarioMistakes(t *testing.T) {
	const good = "-- topology --\nnetwork br0 11.11.11.0/24\nhost RED br0 11.11.11.2\n"
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "needs a topology"},
		{"no steps", good, "needs a topology with a network, and steps"},
		{"unknown file", "-- stairs --\n", `file "stairs": want topology, steps`},
		{"unknown line", "-- topology --\nbridge br0\n", `topology:1: "bridge": want network, host`},
		{"bad subnet", "-- topology --\nnetwork br0 11.11.11\n", "topology:1: network br0: subnet"},
		{"unknown option", "-- topology --\nnetwork br0 11.11.11.0/24 colour red\n", `"colour": want one of ageing, fdb_max_learned, gateway, mtu`},
		{"value missing", "-- topology --\nhost RED br0 11.11.11.2 loss\n", "host RED: loss: a value is missing"},
		{"impossible chance", "-- topology --\nhost RED br0 11.11.11.2 loss 2\n", "want a number from 0 to 1"},
		{"unknown command", good + "-- steps --\nwait 1s\njump\n", `steps:2: "jump": want one of iptables, set, show, swap, wait`},
		{"unknown program", good + "-- steps --\nRED: dance\n", `steps:1: "dance": want one of arp-announce, curl`},
		{"ping nobody", good + "-- steps --\nRED: ping -c 1\n", "steps:1: ping:"},
		{"ping forever", good + "-- steps --\nRED: ping -c 0 1.1.1.1\n", "want a count from 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sim.ParseScenario([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

// FuzzScenario: whatever the file says, parsing it ends, and what it accepts is written back the same.
func FuzzScenario(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := sim.ParseScenario(data)
		if err != nil {
			return
		}
		again, err := sim.ParseScenario(s.Update(s.Expected()))
		if err != nil {
			t.Fatalf("written back it is refused: %v", err)
		}
		if again.Story() != s.Story() && strings.TrimSpace(again.Story()) != strings.TrimSpace(s.Story()) {
			t.Errorf("the story has changed: %q, %q", s.Story(), again.Story())
		}
		if len(s.Topology().Hosts) < 100 && len(s.Topology().Networks) < 100 {
			_, _ = sim.New(s.Topology()) // refused or built, but no panic
		}
	})
}
