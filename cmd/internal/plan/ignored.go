package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ignored collects keys that uswitch does not act on, and who has them.
type ignored struct {
	*source
	in   map[string][]string // key -> services and networks
	line map[string]int      // key -> its first line
}

// pick copies the known keys of a mapping. Extensions stay behind silently, as Compose has it.
func (i *ignored) pick(m map[string]any, at path, known []string) map[string]any {
	picked := make(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		switch {
		case strings.HasPrefix(key, "x-"):
		case slices.Contains(known, key):
			picked[key] = m[key]
		default:
			i.add(key, at)
		}
	}
	return picked
}

func (i *ignored) attachments(m map[string]any, at path) map[string]any {
	picked := make(map[string]any)
	for name, attachment := range m {
		if attachment, ok := attachment.(map[string]any); ok {
			picked[name] = i.pick(attachment, at.to(name), attachmentKeys)
		} else {
			picked[name] = nil
		}
	}
	return picked
}

func (i *ignored) add(key string, at path) {
	if _, met := i.in[key]; !met {
		i.line[key] = i.source.line(at.to(key)) // places come in the order of the file, or nearly
	}
	if len(at) > 1 {
		i.in[key] = append(i.in[key], at[1])
	} else {
		i.in[key] = append(i.in[key], "the file")
	}
}

// why explains the keys that people are most likely to miss.
var why = map[string]string{
	"build":       "commands run on this machine's own files",
	"env_file":    "uswitch reads no such file; environment says which variables a command gets",
	"extends":     "it names another file, and uswitch reads this one and its .env alone",
	"healthcheck": "a host is ready once it has been started",
	"image":       "no image is used; commands run on this machine's own files",
	"include":     "uswitch reads this file and its .env alone, so that what those files say is not in the lab",
	"label_file":  "uswitch reads no such file, and shows no labels",
	"restart":     "a command that has ended stays ended",
	"version":     "Compose does not either",
	"volumes":     "commands see this machine's own files",
}

// warn says each key once.
func (i *ignored) warn() {
	for key, who := range i.in {
		slices.Sort(who)
		text := fmt.Sprintf("%s: not acted on (%s)", key, strings.Join(slices.Compact(who), ", "))
		if why[key] != "" {
			text += ": " + why[key]
		}
		i.report.warn(i.line[key], "%s", text)
	}
}
