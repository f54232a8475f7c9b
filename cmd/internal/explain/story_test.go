package explain_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/cmd/internal/tools/view"
	"uswitch/nat/rule"
	"uswitch/sim"
)

var update = flag.Bool("update", false, "write what the stories say now into testdata")

// TestStories plays the txtar files of testdata: a topology, what somebody types, and what the lab answers.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories found", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, part(archive, "topology"), part(archive, "steps"))
			if *update {
				setPart(archive, "output", got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := part(archive, "output"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			for _, line := range strings.Split(got, "\n") {
				if len(line) > 100 && !strings.Contains(line, "iptables") {
					t.Errorf("%d columns: %s", len(line), line)
				}
			}
		})
	}
}

func part(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setPart(a *txtar.Archive, name, text string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
}

// play builds the world and carries out the steps.
func play(t *testing.T, topology, steps string) string {
	t.Helper()
	w := build(t, topology)
	var out bytes.Buffer
	for line := range strings.Lines(steps) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fmt.Fprintf(&out, "$ %s\n", line)
		if err := do(w, line, &out); err != nil {
			fmt.Fprintf(&out, "%v\n", err)
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}

// do carries out one line: what a person types to ask, or a change of the lab.
func do(w *world, line string, out io.Writer) error {
	words, err := rule.SplitLine(line)
	if err != nil {
		return err
	}
	switch words[0] {
	case "iptables":
		_, err := w.Gateway().Rules().Exec(words[1:])
		return err
	case "ip_forward":
		w.Gateway().SetForwarding(words[1] == "1")
		return nil
	case "explain", "why-not":
		q, err := question(words[1:])
		if err != nil {
			return err
		}
		if words[0] == "explain" {
			a, err := w.lab().Explain(q)
			if err != nil {
				return err
			}
			return view.Answer(out, a)
		}
		a, err := w.lab().WhyNot(q)
		if err != nil {
			return err
		}
		return view.Advice(out, a)
	case "reach":
		m, err := w.lab().Reach(context.Background(), explain.ReachOptions{Outside: ip("8.8.8.8")})
		if err != nil {
			return err
		}
		return view.Matrix(out, m)
	}
	h, ok := w.Host(words[0])
	if !ok {
		return fmt.Errorf("%s: what is that?", words[0])
	}
	return doAt(w, h, words[1:])
}

// doAt lets a host do something.
func doAt(w *world, h *sim.Host, words []string) error {
	switch words[0] {
	case "ping":
		w.ping(h, ip(words[1]))
		return nil
	case "listen":
		port, err := strconv.ParseUint(words[2], 10, 16)
		if words[1] == "tcp" {
			h.ServeTCP(uint16(port), sim.Page(nil))
		} else {
			h.ServeUDP(uint16(port), sim.Echo)
		}
		return err
	case "down":
		setUp(h, false)
		return nil
	case "gateway":
		return setGateway(h, ip(words[1]))
	}
	return fmt.Errorf("%s: what is that?", words[0])
}

// question reads: RED 8.8.8.8 --tcp 443 --size 1472 --df
func question(words []string) (api.Question, error) {
	q := api.Question{From: words[0], To: words[1], Protocol: "icmp"}
	for i := 2; i < len(words); i++ {
		switch words[i] {
		case "--df":
			q.DontFragment = true
			continue
		case "--tcp", "--udp":
			q.Protocol = words[i][2:]
		}
		i++
		n, err := strconv.ParseUint(words[i], 10, 16)
		if err != nil {
			return q, err
		}
		if words[i-1] == "--size" {
			q.Size = int(n)
		} else {
			q.Port = uint16(n)
		}
	}
	return q, nil
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }
