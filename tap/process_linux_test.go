package tap

import (
	"os"
	"strings"
	"testing"
)

func TestParseStat(t *testing.T) {
	const rest = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	tests := []struct {
		name, text string
		want       uint64 // 0: an error
	}{
		{"plain", "12 (sleep) S" + rest, 4711},
		{"awkward name", "12 (a) Z (b\n) R" + rest, 4711},
		{"zombie", "12 (sleep) Z" + rest, 0},
		{"dead", "12 (sleep) X" + rest, 0},
		{"short", "12 (sleep) S 1 2 3", 0},
		{"empty", "", 0},
		{"not a number", "12 (sleep) S" + strings.Replace(rest, "4711", "-1", 1), 0},
		{"too large a number", "12 (sleep) S" + strings.Replace(rest, "4711", "99999999999999999999", 1), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseStat([]byte(test.text))
			if got != test.want || (err == nil) != (test.want != 0) {
				t.Errorf("got %d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	self, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(self)
	f.Fuzz(func(t *testing.T, text []byte) {
		if start, err := parseStat(text); err != nil && start != 0 {
			t.Errorf("start time %d beside the error %v", start, err)
		}
	})
}

// TestProcessAlive asks about this process, about one of the same number that started at another time, and about one
// from before a reboot.
func TestProcessAlive(t *testing.T) {
	self, err := thisProcess()
	if err != nil {
		t.Fatal(err)
	}
	successor, rebooted := self, self
	successor.Start++
	rebooted.Boot = "another"
	for name, test := range map[string]struct {
		process process
		want    bool
	}{"this one": {self, true}, "its successor": {successor, false}, "before a reboot": {rebooted, false}} {
		if got := test.process.alive(); got != test.want {
			t.Errorf("%s is alive: %v, want %v", name, got, test.want)
		}
	}
}
