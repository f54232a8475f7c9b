package words_test

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
	"uswitch/switch/trace"
)

// TestCatalogues holds every catalogue to what is said: no sentence without a translation, no translation of what nobody says,
// and the same arguments in both.
func TestCatalogues(t *testing.T) {
	keys := said(t)
	if len(keys) < 10 {
		t.Fatalf("only %q is said in the reader's language: calls of a trace.Language are not found", keys)
	}
	for _, r := range trace.Reasons() {
		keys = append(keys, r.Sentence())
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) != len(words.Languages())-1 {
		t.Fatalf("catalogues %v, %v; languages %v", files, err, words.Languages())
	}
	for _, file := range files {
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
}

// said returns the sentences of the whole product that are said by a trace.Language, which is called `in` wherever there is one.
func said(t *testing.T) (keys []string) {
	for _, dir := range []string{"../../../cmd", "../../../switch"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				key, literal := call.Args[0].(*ast.BasicLit)
				if !literal || key.Kind != token.STRING {
					return true
				}
				name, plain := call.Fun.(*ast.Ident)
				field, chosen := call.Fun.(*ast.SelectorExpr)
				if plain && name.Name == "in" || chosen && field.Sel.Name == "in" {
					text, _ := strconv.Unquote(key.Value)
					keys = append(keys, text)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
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

func TestAccepted(t *testing.T) {
	const key = "%s ago"
	for header, want := range map[string]string{
		"": "2s ago", "ko": "2s 전", "ko-KR,ko;q=0.9,en;q=0.8": "2s 전", "en-GB,ko;q=0.5": "2s ago", "de, ko;q=0.1": "2s 전",
		"en;q=0.2, ko;q=0.7": "2s 전", "de": "2s ago", ";;": "2s ago", "kok": "2s ago",
	} {
		if got := words.Accepted(header)(key, "2s"); got != want {
			t.Errorf("Accept-Language: %s: %q, want %q", header, got, want)
		}
	}
	in, err := words.Named("ko")
	if err != nil {
		t.Fatal(err)
	}
	if got := in("what no catalogue has: %d", 3); got != "what no catalogue has: 3" {
		t.Error(got)
	}
	if _, err := words.Named("xx"); err == nil || !strings.Contains(err.Error(), `"xx": want one of en, ko`) {
		t.Error(err)
	}
}

func TestLocale(t *testing.T) {
	for _, c := range []struct{ all, messages, lang, want string }{
		{"", "", "ko_KR.UTF-8", "ko"}, {"", "ko", "en_US.UTF-8", "ko"}, {"C", "ko_KR", "ko_KR", "en"}, {"", "", "", "en"},
		{"", "", "de_DE.UTF-8", "en"}, {"", "", "kok_IN", "en"}, {"", "", "ko.UTF-8", "ko"},
	} {
		env := map[string]string{"LC_ALL": c.all, "LC_MESSAGES": c.messages, "LANG": c.lang}
		if got := words.Locale(func(key string) string { return env[key] }, words.Languages()); got != c.want {
			t.Errorf("%v: %s, want %s", env, got, c.want)
		}
	}
}
