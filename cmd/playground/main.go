//go:build !js

// Command playground makes the playground: a directory of static files that any web server can serve, with the whole of uswitch in
// them for the browser to run (worker_js.go).
//
//	go run ./cmd/playground DIR
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/teach/lesson"
	"uswitch/cmd/internal/web"
)

//go:embed page
var page embed.FS

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: playground DIR")
		os.Exit(2)
	}
	if err := build(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

// build writes everything into dir.
func build(dir string) error {
	own, err := fs.Sub(page, "page")
	if err != nil {
		return err
	}
	for _, files := range []fs.FS{web.Files(), own} { // its own index.html takes the place of the page's
		if err := copyAll(dir, files); err != nil {
			return err
		}
	}
	if err := writeLabs(filepath.Join(dir, "labs")); err != nil {
		return err
	}
	return compile(dir)
}

func copyAll(dir string, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return write(filepath.Join(dir, name), data)
	})
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// offered is a lab as the page offers it.
type offered struct {
	Name   string                     `json:"name"`
	About  string                     `json:"about"`
	Titles map[lesson.Language]string `json:"titles,omitempty"` // of a lesson
}

// writeLabs writes the plans of the built-in labs and of the lessons, as far as they can be in memory: to read a lab file takes a
// browser seconds, for all of Compose is behind it.
func writeLabs(dir string) error {
	var all []offered
	keep := func(o offered, p *plan.Plan) error {
		if !session.Simulable(p) {
			return nil
		}
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		all = append(all, o)
		return write(filepath.Join(dir, o.Name+".json"), text)
	}
	for _, b := range plan.Builtins() {
		p, err := plan.Load(b.Name, plan.LoadOptions{})
		if err != nil {
			return err
		}
		if err := keep(offered{Name: b.Name, About: b.About}, p); err != nil {
			return err
		}
	}
	lessons, err := lesson.All()
	if err != nil {
		return err
	}
	for _, l := range lessons {
		if err := keep(offered{Name: fmt.Sprintf("lesson-%d", l.Order), About: l.Titles[l.Speaks("en")], Titles: l.Titles}, l.Plan); err != nil {
			return err
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, "index.json"), text)
}

// compile builds uswitch for a browser, and packs it: not every web server compresses what it serves.
func compile(dir string) error {
	wasm := filepath.Join(dir, "uswitch.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", wasm, "./cmd/playground")
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), "GOOS=js", "GOARCH=wasm"), os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	binary, err := os.ReadFile(wasm)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = z.Write(binary)
	if err := cmp.Or(err, z.Close(), os.Remove(wasm), write(wasm+".gz", packed.Bytes())); err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	support, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib/wasm/wasm_exec.js"))
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, "wasm_exec.js"), support)
}
