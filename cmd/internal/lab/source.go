package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a lab file may cost. Docker Compose has no such limits, and no lab that a person wrote comes near these.
const (
	maxBytes = 1 << 20 // of the file
	maxNodes = 100_000 // keys, values and lists once every alias is written out: a few hundred bytes can ask for billions
	maxDepth = 64      // of lists in mappings in lists
)

// source is the file as YAML nodes, which know their lines.
type source struct {
	*report
	root    *yaml.Node
	nodes   int
	visited map[*yaml.Node]bool // containers whose keys have been checked already; aliases lead to the same one again
}

// parse reads the one document of a file. Nil means that there is nothing to go on with; the report says why.
func parse(r *report, data []byte) *source {
	if len(data) > maxBytes {
		r.mistake(0, nil, "the file is %d bytes long: want at most %d", len(data), maxBytes)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		r.mistake(0, nil, "the file is empty: want services: with at least one host in it")
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		r.mistake(second.Line, nil, "a second YAML document begins here: want one lab in one file")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	s := &source{report: r, root: &document, visited: make(map[*yaml.Node]bool)}
	if document.Kind == yaml.DocumentNode && len(document.Content) == 1 {
		s.root = document.Content[0]
	}
	// Messages name the keys of a lab file. A file without services is not one, and what it has in it is told to nobody.
	if key, _ := child(s.root, "services", 0); key == nil || s.root.Kind != yaml.MappingNode {
		r.mistake(0, nil, "not a Compose file: want services: with at least one host in it")
		return nil
	}
	return s
}

var errorPlace = regexp.MustCompile(`line (\d+)(, column \d+)?: `)

// syntax notes an error of the YAML parser, whose messages name the line in prose: the last one is where it stumbled, one
// before that is where what it was reading began.
func (r *report) syntax(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if places := errorPlace.FindAllStringSubmatchIndex(text, -1); places != nil {
		last := places[len(places)-1]
		line, _ = strconv.Atoi(text[last[2]:last[3]])
		if len(places) > 1 || last[0] == 0 {
			text = text[:last[0]] + text[last[1]:]
		}
	}
	if strings.HasPrefix(text, "unknown anchor") {
		text = "an alias to an anchor that is not there" // the parser's own message repeats a piece of the file
	}
	r.mistake(line, nil, "not YAML: %s", strings.Join(strings.Fields(clip(text, 200)), " "))
}

// tree returns the file as plain maps, lists and scalars, aliases and merges (<<) written out.
func (s *source) tree() map[string]any {
	value, _ := s.value(s.root, nil).(map[string]any)
	if s.nodes > maxNodes {
		s.mistake(0, nil, "more than %d keys and values once the aliases are written out", maxNodes)
	}
	return value
}

// plainTags are the tags that YAML gives by itself to what JSON can say too.
var plainTags = []string{"", "!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge"}

func (s *source) value(n *yaml.Node, at path) any {
	s.nodes++
	switch {
	case s.nodes > maxNodes:
		return nil
	case len(at) > maxDepth:
		s.mistake(n.Line, at[:3], "nested more than %d deep, or an alias inside its own anchor", maxDepth)
		return nil
	case n.Kind == yaml.AliasNode:
		return s.value(n.Alias, at)
	case !slices.Contains(plainTags, n.ShortTag()):
		s.mistake(n.Line, at, "the tag %s: want a plain value; a lab has no use for tags", clip(n.ShortTag(), 40))
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return s.mapping(n, at)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			list = append(list, s.value(item, at.to(strconv.Itoa(i))))
		}
		return list
	default:
		return s.scalar(n, at)
	}
}

func (s *source) mapping(n *yaml.Node, at path) map[string]any {
	first := !s.visited[n]
	s.visited[n] = true
	own, merged := make(map[string]any), make(map[string]any)
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" && key.ShortTag() != "!!merge" {
			if first {
				s.mistake(key.Line, at, "the key %s is not a string: put it into quotes", describe(key))
			}
			continue
		}
		if line, twice := lines[key.Value]; twice && first {
			s.mistake(key.Line, at.to(key.Value), "this key stands here already, in line %d", line)
		}
		lines[key.Value] = key.Line
		if key.ShortTag() == "!!merge" {
			s.merge(merged, value, at.to("<<"))
			continue
		}
		own[key.Value] = s.value(value, at.to(key.Value))
	}
	for key, value := range merged {
		if _, mine := own[key]; !mine {
			own[key] = value
		}
	}
	return own
}

// merge writes out what stands behind <<: a mapping, or a list of them of which the first that has a key wins.
func (s *source) merge(into map[string]any, n *yaml.Node, at path) {
	var parts []any
	switch value := s.value(n, at).(type) {
	case map[string]any:
		parts = []any{value}
	case []any:
		parts = value
	}
	for _, part := range parts {
		mapping, ok := part.(map[string]any)
		if !ok {
			s.mistake(n.Line, at, "want mappings to merge")
			return
		}
		for key, value := range mapping {
			if _, have := into[key]; !have {
				into[key] = value
			}
		}
	}
}

func (s *source) scalar(n *yaml.Node, at path) any {
	if n.ShortTag() == "!!timestamp" || n.ShortTag() == "!!str" {
		return n.Value
	}
	var value any
	if err := n.Decode(&value); err != nil {
		s.mistake(n.Line, at, "not a value of the kind that its tag promises")
		return nil
	}
	if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		s.mistake(n.Line, at, "want a number that can be counted to")
		return nil
	}
	return value
}

func describe(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return fmt.Sprintf("%q", clip(n.Value, 40))
	}
	return "(a list or a mapping)"
}
