package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"uswitch/cmd/internal/plan"
)

var update = flag.Bool("update", false, "write the plans under testdata anew")

// TestBuiltins compares the plan of every built-in lab with the one that was read by a person and kept.
func TestBuiltins(t *testing.T) {
	all := plan.Builtins()
	if len(all) < 4 {
		t.Fatalf("%d built-in labs, want docker, red-blue, two-networks and web", len(all))
	}
	for _, b := range all {
		t.Run(b.Name, func(t *testing.T) {
			if b.About == "" || len(b.About) > 120 {
				t.Errorf("About = %q, want one line", b.About)
			}
			p, err := plan.Load(b.Name, plan.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Warnings) > 0 {
				t.Errorf("warnings: %q", p.Warnings)
			}
			if p.Name != b.Name {
				t.Errorf("Name = %q, want the lab's", p.Name)
			}
			got := marshal(t, p)
			file := filepath.Join("testdata", b.Name+".json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the plan has changed; go test -update, and look at the difference:\n%s", got)
			}
		})
	}
}

// TestPlanRoundTrip takes a plan with every field set to JSON and back.
func TestPlanRoundTrip(t *testing.T) {
	p, err := plan.Parse("full.yaml", read(t, "testdata/full.yaml"), plan.LoadOptions{
		Env:   map[string]string{"GREETING": "hello", "HOME": "/root"},
		Taken: []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("0.0.0.0/0")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(marshal(t, p), &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*p, back) {
		t.Errorf("got  %+v\nwant %+v", back, *p)
	}
	got := marshal(t, p)
	if *update {
		if err := os.WriteFile("testdata/full.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, read(t, "testdata/full.json")) {
		t.Errorf("the plan has changed; go test -update, and look at the difference:\n%s", got)
	}
}

// TestSame reads a file many times: maps have no order, a plan does.
func TestSame(t *testing.T) {
	text := read(t, "testdata/full.yaml")
	var first []byte
	for range 20 {
		p, err := plan.Parse("full.yaml", text, plan.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := marshal(t, p)
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Fatalf("two plans from one file:\n%s\n%s", first, got)
		}
	}
}

func marshal(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
