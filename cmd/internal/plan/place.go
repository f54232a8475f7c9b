package plan

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// line returns the line of the key at the end of a path, or of the last key on the way there that the file has.
func (s *source) line(at path) int {
	node, line := s.root, 0
	for _, key := range at {
		keyNode, value := child(node, key, 0)
		if keyNode == nil {
			break
		}
		node, line = value, keyNode.Line
	}
	return line
}

// wrong notes a mistake at the line of a key.
func (s *source) wrong(at path, format string, args ...any) {
	s.mistake(s.line(at), at, format, args...)
}

// keys returns the keys of a mapping, or the strings of a list, in the order of the file.
func (s *source) keys(at path) []string {
	node := s.root
	for _, key := range at {
		if _, node = child(node, key, 0); node == nil {
			return nil
		}
	}
	var keys []string
	seen := make(map[string]bool)
	collect(node, 0, func(key string) {
		if !seen[key] {
			keys = append(keys, key)
		}
		seen[key] = true
	})
	return keys
}

func collect(n *yaml.Node, depth int, add func(string)) {
	n = target(n)
	if n == nil || depth > maxDepth {
		return
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if item = target(item); item != nil && item.Kind == yaml.ScalarNode {
				add(item.Value)
			}
		}
		return
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := target(n.Content[i]); key.ShortTag() == "!!merge" {
			merges = append(merges, mergeSources(n.Content[i+1])...)
		} else if key.Kind == yaml.ScalarNode {
			add(key.Value)
		}
	}
	for _, m := range merges {
		collect(m, depth+1, add)
	}
}

// child finds a key in a mapping, merged ones included, or an item in a list. An item is found by its index, by its text
// (networks: [br0]) or by what stands before its = sign (environment: [A=1]).
func child(n *yaml.Node, want string, depth int) (key, value *yaml.Node) {
	n = target(n)
	if n == nil || depth > maxDepth {
		return nil, nil
	}
	switch n.Kind {
	case yaml.SequenceNode:
		index, err := strconv.Atoi(want)
		if err == nil && 0 <= index && index < len(n.Content) {
			return n.Content[index], n.Content[index]
		}
		for _, item := range n.Content {
			name, _, _ := strings.Cut(target(item).Value, "=")
			if name == want {
				return item, item
			}
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if target(n.Content[i]).Value == want {
				return n.Content[i], n.Content[i+1]
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].ShortTag() != "!!merge" {
				continue
			}
			for _, m := range mergeSources(n.Content[i+1]) {
				if key, value = child(m, want, depth+1); key != nil {
					return key, value
				}
			}
		}
	}
	return nil, nil
}

// mergeSources returns the mappings behind a << key.
func mergeSources(n *yaml.Node) []*yaml.Node {
	n = target(n)
	if n != nil && n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// target follows an alias to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
