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

// errorPlace is how the parser's messages name a place: the last one is where it stumbled, one before that is where what it was
// reading began. It calls the first line of a file an unknown position where it counts from 0.
var errorPlace = regexp.MustCompile(`(?: at )?(?:<unknown position>|line (\d+))(?:, column \d+)?: `)

// syntax notes an error of the YAML parser. Lines are counted from 1 by its scanner, and from 0 by what reads the scanner's
// tokens, which says what it was parsing.
func (r *report) syntax(err error) {
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
	r.mistake(line, nil, "not YAML: %s", strings.Join(strings.Fields(clip(text, 200)), " "))
}
