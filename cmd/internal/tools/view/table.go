package view

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"

	"uswitch/switch/trace"
)

// table sets rows in columns, two blanks apart, each as wide as its widest cell.
type table struct{ rows [][]string }

// newTable begins with a heading.
func newTable(heading ...string) *table { return &table{[][]string{heading}} }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table. Nothing follows the last cell of a row.
func (t *table) write(w io.Writer) error {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], trace.Columns(cell))
		}
	}
	out := bufio.NewWriter(w)
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-trace.Columns(cell)+2))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.Flush()
}

// JSON writes a value as an indented JSON document.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// object is a JSON object with its members in order.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		key, _ := json.Marshal(m.key)
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(append(append(key, ':'), value...))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Terminal returns how wide a file's lines may be and whether colours help there: 100 columns without colour unless it
// is a terminal. NO_COLOR (no-color.org) and TERM=dumb switch colours off.
func Terminal(f *os.File) (width int, colour bool) {
	width = columns(f)
	if width == 0 {
		return 100, false
	}
	return min(width, 100), os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// IsTerminal reports whether a person sits at the other end of a file.
func IsTerminal(f *os.File) bool { return columns(f) > 0 }

// HostPrefix returns what stands in front of a line that a host's command has written: its name, as wide as the longest,
// in a colour of its own.
func HostPrefix(name string, width int, colour bool) string {
	text := fmt.Sprintf("%-*s | ", width, name)
	if !colour {
		return text
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return fmt.Sprintf("\x1b[3%dm%s\x1b[0m", 2+hash.Sum32()%5, text) // green, yellow, blue, magenta, cyan
}
