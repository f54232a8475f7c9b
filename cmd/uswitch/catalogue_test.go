package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"uswitch/cmd/internal/words"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestCatalogues holds every catalogue to what is said: no sentence without a translation, no translation of what nobody says,
// and the same arguments in both.
func TestCatalogues(t *testing.T) {
	keys := said(t)
	if len(keys) < 200 {
		t.Fatalf("only %q is said in the reader's language: calls of a trace.Language are not found", keys)
	}
	for _, r := range trace.Reasons() {
		keys = append(keys, r.Sentence())
	}
	for message := range 1 << 16 {
		key, _ := frame.ICMPError{Type: uint8(message >> 8), Code: uint8(message)}.Sentence()
		keys = append(keys, key)
	}
	files, err := filepath.Glob(catalogues + "*.yaml")
	if err != nil || len(files) != len(words.Languages())-1 {
		t.Fatalf("catalogues %v, %v; languages %v", files, err, words.Languages())
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for _, file := range files {
		compare(t, file, keys)
	}
}

const catalogues = "../internal/words/"

// compare holds a catalogue beside what is said.
func compare(t *testing.T, file string, keys []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var catalogue map[string]string
	if err := yaml.Unmarshal(text, &catalogue); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, key := range keys {
		if catalogue[key] == "" {
			t.Errorf("%s lacks %q", file, key)
		} else if got, want := arguments(catalogue[key]), arguments(key); !slices.Equal(got, want) {
			t.Errorf("%s: %q takes %v, want %v as in %q", file, catalogue[key], got, want, key)
		}
		delete(catalogue, key)
	}
	for key := range catalogue {
		t.Errorf("%s: nobody says %q", file, key)
	}
}

// said returns the sentences of the whole product that stand where they are said: in calls of a trace.Language, which is called `in`
// wherever there is one, or In, as words.In is, and of words.Errorf and trace.Key.
func said(t *testing.T) (keys []string) {
	for _, dir := range []string{"../../cmd", "../../switch", "../../sim"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 && says(file.Name.Name, call.Fun) {
					if key, constant := literal(call.Args[0]); constant {
						keys = append(keys, key)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// says reports whether a function takes a sentence.
func says(in string, f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name == "in" || f.Name == "Key" && in == "trace" || f.Name == "Errorf" && in == "words"
	case *ast.SelectorExpr:
		from, _ := f.X.(*ast.Ident)
		return f.Sel.Name == "in" || f.Sel.Name == "In" || from != nil && slices.Contains([]string{"words.Errorf", "trace.Key"}, from.Name+"."+f.Sel.Name)
	}
	return false
}

// literal returns a constant string, which may be written in several pieces.
func literal(e ast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, also := literal(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([-+# 0-9.*]*[a-zA-Z%])`)

// arguments returns what a format takes, by number: 1 %s, 2 %d.
func arguments(format string) (all []string) {
	for i, m := range verb.FindAllStringSubmatch(format, -1) {
		n := m[1]
		if n == "" {
			n = strconv.Itoa(i + 1)
		}
		all = append(all, n+" %"+m[2])
	}
	slices.Sort(all)
	return all
}
