package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/override"
	"go.yaml.in/yaml/v4"
)

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

// extend gives each service that extends another one of the file what that one says, as Compose merges it. What names another
// file stays: a lab runs with privileges that its author may not have, and reads no file but its own and the .env beside it.
func (s *source) extend(file map[string]any) {
	services, _ := file["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s.extendService(services, name, nil)
	}
}

// extendService is extend for one service; way is who has come here by extending it.
func (s *source) extendService(services map[string]any, name string, way []string) {
	service, _ := services[name].(map[string]any)
	other, file := extended(service["extends"])
	at := path{"services", name, "extends"}
	if way = append(way, name); other == "" || file {
		return
	}
	if slices.Contains(way, other) {
		s.wrong(at, "a circle: %s", clip(strings.Join(append(way, other), " -> "), 300))
		delete(service, "extends")
		return
	}
	if _, ok := services[other].(map[string]any); !ok {
		s.wrong(at, "no such service %q: %s", clip(other, MaxName), oneOf(slices.Sorted(maps.Keys(services))))
		delete(service, "extends")
		return
	}
	s.extendService(services, other, way)
	base := copied(services[other]).(map[string]any)
	delete(base, "extends")
	merged, err := override.ExtendService(base, service)
	if err != nil {
		s.wrong(at, "%s", strings.Join(strings.Fields(clip(err.Error(), 200)), " "))
		merged = service
	}
	delete(merged, "extends")
	services[name] = merged
}

// extended reads extends in both its forms: whom, and whether that one is in another file.
func extended(value any) (service string, file bool) {
	switch value := value.(type) {
	case string:
		return value, false
	case map[string]any:
		service, _ = value["service"].(string)
		_, file = value["file"]
	}
	return service, file
}

// copied copies a value of the file with all that it holds.
func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(value))
		for key, one := range value {
			all[key] = copied(one)
		}
		return all
	case []any:
		all := make([]any, len(value))
		for i, one := range value {
			all[i] = copied(one)
		}
		return all
	}
	return value
}
