package lab

import (
	"bytes"
	"errors"
	"io"
	"regexp"
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
