package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
	root     *yaml.Node
	nodes    int
	replicas map[string]replica  // hosts of services that have several
	visited  map[*yaml.Node]bool // containers whose keys have been checked already; aliases lead to the same one again
}

func newSource(r *report, root *yaml.Node) *source {
	return &source{report: r, root: root, replicas: make(map[string]replica), visited: make(map[*yaml.Node]bool)}
}

// parse reads the one document of a file of the report. Nil means that there is nothing to go on with; the report says why.
func parse(r *report, number int) *source {
	data, here := r.files[number].data, place(number, 0)
	if len(data) > maxBytes {
		r.mistake(here, nil, "the file is %d bytes long: want at most %d", len(data), maxBytes)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		r.mistake(here, nil, "the file is empty: want services: with at least one host in it")
		return nil
	case err != nil:
		r.syntax(number, err)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		r.mistake(place(number, second.Line), nil, "a second YAML document begins here: want one lab in one file")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntax(number, err)
		return nil
	}
	s := newSource(r, &document)
	if document.Kind == yaml.DocumentNode && len(document.Content) == 1 {
		s.root = document.Content[0]
	}
	if number > 0 {
		placeNodes(s.root, number)
	}
	return s
}

// placeNodes makes the lines of a file's nodes places.
func placeNodes(n *yaml.Node, number int) {
	n.Line = place(number, n.Line)
	for _, below := range n.Content { // an alias leads to a node that is met elsewhere
		placeNodes(below, number)
	}
}

// isLab notes what is not a lab file at all. Messages name the keys of a lab file; what a file without services has in it is
// told to nobody.
func (s *source) isLab() bool {
	if key, _ := child(s.root, "services", 0); key == nil || s.root.Kind != yaml.MappingNode {
		s.mistake(0, nil, "not a Compose file: want services: with at least one host in it")
		return false
	}
	return true
}

// errorPlace is how the parser's messages name a place: the last one is where it stumbled, one before that is where what it was
// reading began. It calls the first line of a file an unknown position where it counts from 0.
var errorPlace = regexp.MustCompile(`(?: at )?(?:<unknown position>|line (\d+))(?:, column \d+)?: `)

// syntax notes an error of the YAML parser. Lines are counted from 1 by its scanner, and from 0 by what reads the scanner's
// tokens, which says what it was parsing.
func (r *report) syntax(number int, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	first := 0
	if strings.HasPrefix(fmt.Sprintf("%T", err), "libyaml.ParserError") || strings.HasPrefix(text, "while parsing ") {
		first = 1
	}
	var lines []int
	for _, place := range errorPlace.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(place[1])
		lines = append(lines, n+first)
	}
	parts := slices.DeleteFunc(errorPlace.Split(text, -1), func(part string) bool { return part == "" })
	line := 0
	if len(lines) > 0 {
		line = lines[len(lines)-1]
		if len(parts) > 1 && lines[0] != line {
			parts[0] += fmt.Sprintf(" that begins in line %d", lines[0])
		}
	}
	if text = strings.Join(parts, ": "); strings.HasPrefix(text, "unknown anchor") {
		text = "an alias to an anchor that is not there" // the parser's own message repeats a piece of the file
	}
	r.mistake(place(number, line), nil, "not YAML: %s", strings.Join(strings.Fields(clip(text, 200)), " "))
}

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
