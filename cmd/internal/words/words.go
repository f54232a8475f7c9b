// Package words has what uswitch says in other languages than English: one catalogue a language, whose file is its name with
// .yaml. The English sentence in the source is the key, so English is complete by construction, and what a catalogue lacks is
// said in English. The language is that of each reader and travels with the request; a lab has none: what it answers is said by
// the trace.Language that Accepted returns, and what a command prints by In.
//
// A new sentence is written where it is said, as in("%s lives behind %s", mac, port), trace.Key("...") in a table, Errorf("...") for
// an error; then the test TestCatalogues names each catalogue that lacks it. Whole sentences, no pieces: other languages have their
// words in another order.
//
// A sentence with arguments is a format of package fmt; a translation may take them in another order, as %[2]s does.
// `uswitch help translate` tells translators the rest.
package words

import (
	"cmp"
	"embed"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"

	"uswitch/switch/trace"
)

//go:embed *.yaml
var files embed.FS

// catalogues are the languages besides English. That all of them can be read is what a test holds.
var catalogues = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	names, _ := files.ReadDir(".")
	for _, file := range names {
		var c map[string]string
		text, err := files.ReadFile(file.Name())
		if err == nil && yaml.Unmarshal(text, &c) == nil {
			all[strings.TrimSuffix(file.Name(), ".yaml")] = c
		}
	}
	return all
})

// Languages returns the names of all languages (BCP 47), English first.
func Languages() []string {
	all := []string{}
	for name := range catalogues() {
		all = append(all, name)
	}
	slices.Sort(all)
	return append([]string{"en"}, all...)
}

// Named returns the language of a name.
func Named(name string) (trace.Language, error) {
	if name == "en" {
		return trace.English, nil
	}
	c, ok := catalogues()[name]
	if !ok {
		return nil, Errorf("language %q: want one of %s", name, strings.Join(Languages(), ", "))
	}
	return func(key string, args ...any) string { return trace.English(cmp.Or(c[key], key), args...) }, nil
}

// reader is the language of who has called this command: as of a locale, a process has one.
var reader = struct {
	name string
	in   trace.Language
}{"en", trace.English}

// Speak chooses the language of In. It is for main, before anything is said.
func Speak(name string) error {
	in, err := Named(name)
	if err == nil {
		reader.name, reader.in = name, in
	}
	return err
}

// In says a sentence to who has called this command. What answers a request asks Accepted instead.
func In(key string, args ...any) string { return reader.in(key, args...) }

// Spoken returns the name of In's language.
func Spoken() string { return reader.name }

// Accepted returns the language that a header Accept-Language (RFC 9110, 12.5.4) likes best of those that there are, and English
// where that is none or the header is malformed.
func Accepted(header string) trace.Language {
	tags, _, _ := language.ParseAcceptLanguage(header)
	for _, tag := range tags { // by their weight
		base, _ := tag.Base()
		if in, err := Named(base.String()); err == nil {
			return in
		}
	}
	return trace.English
}

// Locale returns which of some languages is that of a person's environment: of the first of LC_ALL, LC_MESSAGES and LANG that is
// set (POSIX.1-2024, 8.2). It is the first of them where the environment's is not among them.
func Locale[L ~string](getenv func(string) string, among []L) L {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"))
	for _, lang := range among {
		if rest, ok := strings.CutPrefix(locale, string(lang)); ok && (rest == "" || strings.ContainsAny(rest[:1], "_.@")) {
			return lang
		}
	}
	return among[0]
}
